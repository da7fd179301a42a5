/* cli_json.c: see the header. */
#include "cli/cli_json.h"

#include <stddef.h>

void
cli_json_freep(json_t **v)
{
	json_decref(*v);
}

const char *
cli_json_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

int64_t
cli_json_int(const json_t *o, const char *key, int64_t absent)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_integer(v))
		return json_integer_value(v);
	return json_is_real(v) ? (int64_t)json_real_value(v) : absent;
}

bool
cli_json_flag(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}
