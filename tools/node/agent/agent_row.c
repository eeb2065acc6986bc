/* What an agent leaves in the store, for its next start and for `status`. */
#include "core/pack.h"
#include "tools/node/agent/agent.h"

#define VALUES 13u

enum err
agent_row_get(struct store_txn *txn, struct agent_row *row)
{
	struct bytes value;
	struct reader r;
	enum err e = store_meta_get(txn, "agent", &value);

	memset(row, 0, sizeof(*row));
	if (e != E_OK)
		return e;
	reader_begin(&r, value, 1, VALUES);
	row->kept.calendar_s = reader_u64(&r);
	row->kept.day_s = reader_u64_max(&r, DUTY_DAY_S - 1);
	row->kept.bytes = reader_u64(&r);
	row->kept.wakes = reader_u64(&r);
	row->kept.quiet_s = reader_u64(&r);
	row->kept.ever = reader_bool(&r);
	row->options.bytes_a_day = reader_u64(&r);
	row->options.wakes_a_day = reader_u64(&r);
	row->options.news_s = reader_u64(&r);
	row->why = (enum duty_why)reader_u64_max(&r, DUTY_WHY_COUNT - 1);
	row->next_s = reader_u64(&r);
	reader_text(&r, row->failed, sizeof(row->failed), true);
	return reader_end(&r);
}

enum err
agent_row_put(struct store_txn *txn, const struct agent_row *row)
{
	uint8_t memory[400];
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, VALUES);
	pack_u64(&w, 1);
	pack_u64(&w, row->kept.calendar_s);
	pack_u64(&w, row->kept.day_s);
	pack_u64(&w, row->kept.bytes);
	pack_u64(&w, row->kept.wakes);
	pack_u64(&w, row->kept.quiet_s);
	pack_bool(&w, row->kept.ever);
	pack_u64(&w, row->options.bytes_a_day);
	pack_u64(&w, row->options.wakes_a_day);
	pack_u64(&w, row->options.news_s);
	pack_u64(&w, row->why);
	pack_u64(&w, row->next_s);
	pack_str(&w, bytes_of_str(row->failed));
	if ((e = writer_end(&w)) != E_OK)
		return e;
	return store_meta_put(txn, "agent", writer_view(&w));
}
