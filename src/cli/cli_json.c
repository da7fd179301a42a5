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

void
cli_json_set_list(json_t *o, const char *key, struct str value)
{
	json_t *list = json_array();
	struct str word;

	while (value.n > 0) {
		value = str_cut(value, ',', &word);
		word = str_trim(word);
		if (word.n > 0)
			(void)json_array_append_new(list,
			    json_stringn(word.p, word.n));
	}
	(void)json_object_set_new(o, key, list);
}

void
cli_json_set_word(json_t *o, const char *key, struct str value)
{
	(void)json_object_set_new(o, key, str_is(value, "true") ?
	    json_true() : str_is(value, "false") ? json_false() :
	    json_stringn(value.p, value.n));
}
