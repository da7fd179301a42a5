/* beat.c: see beat.h. */
#include "http/beat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "base/text.h"

#define BEAT_FIELDS_MAX 32      /* pairs in one form */
#define BEAT_VALUE_MAX  16384

void
beat_init(struct beat *b)
{
	*b = (struct beat){.ping_us = -1};
}

static enum err
beat_ping(struct beat *b, double ms, struct errinfo *ei)
{
	if (!isfinite(ms) || ms < 0 || ms > BEAT_PING_MAX_MS)
		return fail_at(ei, ERR_INVALID, "ping", 0, "ping is not a "
		    "number of milliseconds from 0 to %d", BEAT_PING_MAX_MS);
	b->ping_us = (int64_t)llround(ms * 1000);
	return ERR_OK;
}

static enum err
beat_ping_text(struct beat *b, struct str v, struct errinfo *ei)
{
	char text[32];
	char *end;
	double ms;

	if (v.n == 0)
		return ERR_OK;   /* "ping=" as Kuma's senders write it */
	/* Digits and a point only: strtod would take hex and infinity. */
	if (v.n >= sizeof(text) || v.p[0] == '.')
		return beat_ping(b, (double)NAN, ei);
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] != '.' && (v.p[i] < '0' || v.p[i] > '9'))
			return beat_ping(b, (double)NAN, ei);
	memcpy(text, v.p, v.n);
	text[v.n] = '\0';
	ms = strtod(text, &end);
	return beat_ping(b, *end == '\0' ? ms : (double)NAN, ei);
}

enum err
beat_set(struct beat *b, struct str key, struct str value, struct errinfo *ei)
{
	if (str_is(key, "msg")) {
		text_copy(b->msg, sizeof(b->msg), value);
	} else if (str_is(key, "status")) {
		if (!str_is(value, "up") && !str_is(value, "down"))
			return fail_at(ei, ERR_INVALID, "status", 0,
			    "status is not up or down");
		b->down = str_is(value, "down");
	} else if (str_is(key, "ping")) {
		return beat_ping_text(b, value, ei);
	}
	return ERR_OK;
}

static int
beat_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A form's value: + is a space, %XX a byte. */
static void
beat_decode(struct buf *out, struct str s)
{
	buf_clear(out);
	for (size_t i = 0; i < s.n; i++) {
		int hi = -1, lo = -1;

		if (s.p[i] == '%' && i + 2 < s.n) {
			hi = beat_hex(s.p[i + 1]);
			lo = beat_hex(s.p[i + 2]);
		}
		if (hi >= 0 && lo >= 0) {
			buf_addc(out, (char)(hi << 4 | lo));
			i += 2;
		} else {
			buf_addc(out, s.p[i] == '+' ? ' ' : s.p[i]);
		}
	}
}

static enum err
beat_form(struct beat *b, struct str body, struct errinfo *ei)
{
	BUF_AUTO(value, BEAT_VALUE_MAX);
	struct str pair, key;
	enum err e = ERR_OK;

	for (int i = 0; i < BEAT_FIELDS_MAX && body.n > 0 && e == ERR_OK;
	    i++) {
		struct str v;

		body = str_cut(body, '&', &pair);
		v = str_cut(pair, '=', &key);
		beat_decode(&value, v);
		e = beat_set(b, key, buf_str(&value), ei);
	}
	return e;
}

static enum err
beat_json(struct beat *b, struct str body, struct errinfo *ei)
{
	json_error_t je;
	json_t *root = json_loadb(body.p, body.n, 0, &je), *v;
	enum err e = ERR_OK;

	if (root == NULL)
		return fail(ei, ERR_PARSE, "the body is not JSON: %s",
		    je.text);
	if (!json_is_object(root)) {
		json_decref(root);
		return fail(ei, ERR_PARSE, "the body is not a JSON object");
	}
	v = json_object_get(root, "status");
	if (v != NULL)
		e = beat_set(b, STR("status"),
		    str_of(json_string_value(v)), ei);
	v = json_object_get(root, "msg");
	if (e == ERR_OK && json_is_string(v))
		e = beat_set(b, STR("msg"), (struct str){json_string_value(v),
		    json_string_length(v)}, ei);
	v = json_object_get(root, "ping");
	if (e == ERR_OK && v != NULL && !json_is_null(v))
		e = beat_ping(b, json_is_number(v) ? json_number_value(v) :
		    (double)NAN, ei);
	json_decref(root);
	return e;
}

enum err
beat_body(struct beat *b, struct str body, struct str type,
    struct errinfo *ei)
{
	struct str trimmed = str_trim(body);

	if (trimmed.n == 0)
		return ERR_OK;
	if ((type.n >= 16 && strncasecmp(type.p, "application/json", 16) == 0)
	    || (type.n == 0 && trimmed.p[0] == '{'))
		return beat_json(b, trimmed, ei);
	if (type.n == 0 || (type.n >= 33 && strncasecmp(type.p,
	    "application/x-www-form-urlencoded", 33) == 0))
		return beat_form(b, trimmed, ei);
	return ERR_OK;   /* somebody's text: a heartbeat all the same */
}
