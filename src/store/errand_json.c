/* errand_json.c: errands and audits in the API's words. */
#include "store/errand.h"

#include "base/mem.h"
#include "base/time.h"

const char *const errand_names[ERRAND_NMAX] = {
	[ERRAND_MAINTAIN] = "maintain", [ERRAND_CHECK] = "check",
	[ERRAND_BACKUP] = "backup",
};
static const char *const state_names[ERRAND_STATES] = {
	[ERRAND_NEVER] = "never", [ERRAND_RUNS] = "running",
	[ERRAND_DONE] = "done", [ERRAND_FAILED] = "failed",
};
static const char *const step_names[STEP_NMAX] = {
	[STEP_RUNS] = "running", [STEP_DONE] = "done",
	[STEP_FAILED] = "failed",
};

static json_t *
when(int64_t us)
{
	char text[TIME_TEXT];

	return us > 0 ? json_string(time_format_utc(us, text)) : json_null();
}

json_t *
audit_json(const struct audit_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n; i++) {
		const struct finding *f = &r->v[i];

		(void)json_array_append_new(list, json_pack(
		    "{s:s, s:o, s:o, s:o, s:s}", "rule", f->rule, "monitor",
		    f->monitor != 0 ? json_integer(f->monitor) : json_null(),
		    "from", when(f->from_us), "to", when(f->to_us), "text",
		    f->text));
	}
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:o}", "older_schema",
	    r->older, "rules", (json_int_t)r->rules, "samples",
	    (json_int_t)r->samples, "transitions", (json_int_t)r->transitions,
	    "total", (json_int_t)r->total, "findings", list);
}

static json_t *
steps(const struct errand *x)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < x->nsteps; i++) {
		const struct errand_step *s = &x->step[i];

		(void)json_array_append_new(list, json_pack(
		    "{s:s, s:s, s:s, s:f}", "name", s->name, "state",
		    step_names[s->state], "text", s->text, "seconds",
		    (double)s->took_ns / (double)NS_PER_S));
	}
	return list;
}

json_t *
errand_json(const struct errand *x)
{
	bool never = x->state == ERRAND_NEVER;

	return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:I, s:I, s:o, s:o,"
	    " s:o, s:o}",
	    "id", (json_int_t)x->id,
	    "kind", never ? json_null() :
	        json_string(errand_names[x->ask.kind]),
	    "state", state_names[x->state],
	    "actor", never ? json_null() : json_string(x->ask.actor),
	    "began", when(x->began_us), "ended", when(x->ended_us),
	    "done", (json_int_t)x->done, "total", (json_int_t)x->total,
	    "file", x->ask.file[0] != '\0' ? json_string(x->ask.file) :
	        json_null(),
	    "steps", steps(x),
	    "error", x->state == ERRAND_FAILED ? json_string(x->ei.text) :
	        json_null(),
	    "report", x->audited ? audit_json(&x->report) : json_null());
}
