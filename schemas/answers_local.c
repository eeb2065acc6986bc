/* answers_local: the lists that the device which fills the form keeps itself. FORMS.md 6a. */
#include <stdio.h>

#include "schemas/answers_inside.h"

enum err
answers_take_local(struct answers *a, const struct answer_env *env)
{
	const struct form *f = a->form;
	char name[80];
	size_t i, k;
	enum err e = E_OK;

	a->local = env->local;
	if (!env->local || f->local_count == 0)
		return E_OK;
	if ((a->local_roots =
		 arena_alloc(&a->arena, f->instance_count * sizeof(*a->local_roots))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < f->instance_count && e == E_OK; i++) {
		struct xml_node *root, *list;

		if (!f->instances[i].local)
			continue;
		if ((root = a->local_roots[i] = xml_new(&a->arena, XML_ROOT, "", "")) == NULL)
			return E_NO_MEMORY;
		if (f->instances[i].root->first != NULL) {
			if ((list = xml_copy(&a->arena, f->instances[i].root->first)) == NULL)
				return E_NO_MEMORY;
			xml_append(root, list);
		}
		snprintf(name, sizeof(name), "%.70s.csv", f->instances[i].id);
		for (k = 0; k < env->local_count && e == E_OK; k++)
			if (strcmp(env->local_files[k].name, name) == 0)
				e = form_csv_items(&a->arena, env->local_files[k].content, root,
						   NULL);
		xml_renumber(root);
	}
	return e;
}
