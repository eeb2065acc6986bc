/* xpath_geo: area() and distance() on a sphere (ODK XForms, "Utility functions"). */
#include <math.h>
#include <stdlib.h>

#include "schemas/xpath_functions.h"

#define EARTH_METRES 6378100.0
#define POINTS_MAX 20000u

struct point {
	double lat, lon; /* radians */
};

struct points {
	struct point *p;
	size_t n;
};

/* Points are parted by ";"; a point is latitude and longitude and, maybe, altitude and accuracy. */
static bool
add_points(struct points *out, const char *s)
{
	char *end;

	s += strspn(s, " \t\r\n");
	while (*s != '\0') {
		double lat = strtod(s, &end), lon;

		if (end == s)
			return false;
		s = end;
		lon = strtod(s, &end);
		if (end == s || !(fabs(lat) <= 90) || !(fabs(lon) <= 180) || out->n == POINTS_MAX)
			return false;
		out->p[out->n++] = (struct point){lat * M_PI / 180, lon * M_PI / 180};
		s = end + strcspn(end, ";");
		s += *s == ';';
		s += strspn(s, " \t\r\n");
	}
	return true;
}

static enum err
read_points(struct xpath_eval *ev, const struct xpath *x, struct points *out, bool *good)
{
	struct xpath_value v;
	size_t i, j;
	enum err e;

	if ((out->p = arena_alloc(ev->arena, POINTS_MAX * sizeof(*out->p))) == NULL)
		return xpath_no_memory(ev);
	*good = true;
	for (i = 0; i < x->argc && *good; i++) {
		if ((e = xpath_work(ev, x->args[i], &v)) != E_OK)
			return e;
		for (j = 0; j < (v.kind == XPATH_NODES ? v.count : 1) && *good; j++) {
			const char *s = v.kind == XPATH_NODES ? xml_string(v.nodes[j], ev->arena)
							      : xpath_string(&v, ev->arena);

			*good = s != NULL && add_points(out, s);
		}
	}
	return E_OK;
}

static double
metres(struct point a, struct point b)
{
	double dlat = sin((b.lat - a.lat) / 2), dlon = sin((b.lon - a.lon) / 2);
	double h = dlat * dlat + cos(a.lat) * cos(b.lat) * dlon * dlon;

	return 2 * EARTH_METRES * asin(sqrt(h < 1 ? h : 1));
}

/* Other engines give hundredths; no coordinate is better than that. */
static double
hundredths(double n)
{
	return floor(n * 100 + 0.5) / 100;
}

enum err
fn_distance(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	struct points p = {0};
	double sum = 0;
	bool good;
	size_t i;
	enum err e = read_points(ev, x, &p, &good);

	if (e != E_OK)
		return e;
	for (i = 1; i < p.n; i++)
		sum += metres(p.p[i - 1], p.p[i]);
	*out = xpath_of_number(good ? hundredths(sum) : NAN);
	return E_OK;
}

/* The spherical excess of the polygon, edge by edge. */
enum err
fn_area(struct xpath_eval *ev, const struct xpath *x, struct xpath_value *out)
{
	struct points p = {0};
	double sum = 0;
	bool good;
	size_t i;
	enum err e = read_points(ev, x, &p, &good);

	if (e != E_OK)
		return e;
	for (i = 0; i < p.n; i++) {
		struct point a = p.p[i], b = p.p[(i + 1) % p.n];

		sum += (b.lon - a.lon) * (2 + sin(a.lat) + sin(b.lat));
	}
	*out = xpath_of_number(!good     ? NAN
			       : p.n < 3 ? 0
					 : hundredths(fabs(sum) / 2 * EARTH_METRES * EARTH_METRES));
	return E_OK;
}
