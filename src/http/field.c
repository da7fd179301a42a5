/* field.c: see field.h. */
#include "http/field.h"

#include <math.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/time.h"

void
field_key(struct buf *b, const char *key)
{
	if (key == NULL)
		return;
	buf_addc(b, '"');
	buf_adds(b, key);   /* keys are ours: plain ASCII */
	buf_add(b, STR("\":"));
}

void
field_str(struct buf *b, const char *key, struct str v)
{
	field_key(b, key);
	text_json(b, v);
	buf_addc(b, ',');
}

void
field_text(struct buf *b, const char *key, const char *v)
{
	if (v == NULL)
		field_null(b, key);
	else
		field_str(b, key, str_of(v));
}

void
field_word(struct buf *b, const char *key, const char *v)
{
	field_text(b, key, v != NULL && v[0] != '\0' ? v : NULL);
}

void
field_int(struct buf *b, const char *key, int64_t v)
{
	field_key(b, key);
	buf_addi(b, v);
	buf_addc(b, ',');
}

void
field_u64(struct buf *b, const char *key, uint64_t v)
{
	field_key(b, key);
	buf_addf(b, "%llu,", (unsigned long long)v);
}

void
field_real(struct buf *b, const char *key, double v, int digits)
{
	if (!isfinite(v)) {
		field_null(b, key);
		return;
	}
	field_key(b, key);
	buf_addf(b, "%.*f,", digits, v);
}

void
field_flag(struct buf *b, const char *key, bool v)
{
	field_key(b, key);
	buf_adds(b, v ? "true," : "false,");
}

void
field_null(struct buf *b, const char *key)
{
	field_key(b, key);
	buf_add(b, STR("null,"));
}

void
field_time(struct buf *b, const char *key, int64_t us)
{
	char text[TIME_TEXT];

	if (us <= 0)
		field_null(b, key);
	else
		field_text(b, key, time_format_utc(us, text));
}

void
field_json(struct buf *b, const char *key, const json_t *v)
{
	char *text;

	text = v == NULL ? NULL : json_dumps(v, JSON_ENSURE_ASCII |
	    JSON_COMPACT | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER);
	if (text == NULL) {
		field_null(b, key);
		return;
	}
	field_key(b, key);
	buf_adds(b, text);
	buf_addc(b, ',');
	free(text);   /* jansson's own */
}

void
field_open(struct buf *b, const char *key, char bracket)
{
	field_key(b, key);
	buf_addc(b, bracket);
}

void
field_close(struct buf *b, char bracket)
{
	if (b->n > 0 && b->p[b->n - 1] == ',')
		b->p[b->n - 1] = bracket;
	else
		buf_addc(b, bracket);
}

void
field_next(struct buf *b, char bracket)
{
	field_close(b, bracket);
	buf_addc(b, ',');
}
