#define OWNS_OFF
#include "base/template.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum filter { FILTER_UPPER, FILTER_LOWER, FILTER_TRUNCATE, FILTER_DEFAULT,
	FILTER_JSON, FILTER_HTML, FILTER_URL, FILTER_RAW, FILTER_NMAX };
static const char *const filter_names[FILTER_NMAX] = {
	[FILTER_UPPER] = "upper", [FILTER_LOWER] = "lower",
	[FILTER_TRUNCATE] = "truncate", [FILTER_DEFAULT] = "default",
	[FILTER_JSON] = "json", [FILTER_HTML] = "html", [FILTER_URL] = "url",
	[FILTER_RAW] = "raw",
};

struct use {
	enum filter filter;
	uint32_t n;           /* truncate */
	struct str text;      /* default; within the template's own text */
};

enum op_kind { OP_TEXT, OP_VALUE, OP_IF, OP_ELSE, OP_EACH, OP_END };

/* A flat program. to: where it goes on, when not with the next. */
struct op {
	enum op_kind kind;
	struct str text;      /* OP_TEXT; OP_IF: what to compare with */
	bool compare;
	size_t field;
	struct use uses[TEMPLATE_FILTERS_MAX];
	size_t nuses;
	size_t to;            /* IF: past its yes; ELSE: its END; EACH: its END;
			       * END of an EACH: the EACH, else SIZE_MAX */
};

struct template {
	char *text;
	const char *const *fields;
	struct op *ops;
	size_t nops, cap;
};

void
template_free(struct template *t)
{
	if (t == NULL)
		return;
	xfree(t->text);
	xfree(t->ops);
	xfree(t);
}

void
template_freep(struct template *const *t)
{
	template_free(*t);
}

/* -- reading ---------------------------------------------------------------- */

struct parser {
	struct template *t;
	struct str all, rest;
	size_t open[TEMPLATE_DEPTH_MAX];   /* ops that wait for their end */
	size_t depth;
	bool in_each;
	struct errinfo *ei;
};

static enum err
wrong(const struct parser *p, const char *at, enum err e, const char *what)
{
	size_t line = 1, column = 1;

	for (const char *c = p->all.p; c < at; c++) {
		column = *c == '\n' ? 1 : column +
		    (((unsigned char)*c & 0xc0) != 0x80);
		line += *c == '\n';
	}
	return fail(p->ei, e, "line %zu, column %zu: %s", line, column, what);
}

static struct op *
op_add(struct parser *p, enum op_kind kind)
{
	struct template *t = p->t;

	if (t->nops == t->cap) {
		t->cap = MAX(t->cap * 2, (size_t)16);
		t->ops = xrealloc(t->ops, t->cap, sizeof(*t->ops));
	}
	t->ops[t->nops] = (struct op){.kind = kind, .to = SIZE_MAX};
	return &t->ops[t->nops++];
}

static struct str
word_take(struct str *s)
{
	struct str w = {s->p, 0};

	while (w.n < s->n && (w.p[w.n] == '_' || w.p[w.n] == '-' ||
	    (w.p[w.n] >= 'a' && w.p[w.n] <= 'z') ||
	    (w.p[w.n] >= 'A' && w.p[w.n] <= 'Z') ||
	    (w.p[w.n] >= '0' && w.p[w.n] <= '9')))
		w.n++;
	s->p += w.n;
	s->n -= w.n;
	return w;
}

static void
skip(struct str *s)
{
	while (s->n > 0 && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n')) {
		s->p++;
		s->n--;
	}
}

/* "text", without escapes. */
static bool
quoted_take(struct str *s, struct str *ret)
{
	const char *end;

	if (s->n < 2 || *s->p != '"')
		return false;
	end = memchr(s->p + 1, '"', s->n - 1);
	if (end == NULL)
		return false;
	*ret = (struct str){s->p + 1, (size_t)(end - s->p) - 1};
	s->n -= (size_t)(end - s->p) + 1;
	s->p = end + 1;
	return true;
}

static enum err
field_take(struct parser *p, struct str *s, size_t *ret)
{
	struct str w;
	char shown[48];
	BUF_AUTO(b, 400);

	skip(s);
	w = word_take(s);
	for (size_t i = 0; p->t->fields[i] != NULL; i++) {
		if (str_is(w, p->t->fields[i])) {
			*ret = i;
			return ERR_OK;
		}
	}
	if (w.n == 0)
		return wrong(p, w.p, ERR_INVALID, "a field is missing here");
	(void)text_copy(shown, sizeof(shown), w);
	buf_addf(&b, "\"%s\" is not a field; allowed:", shown);
	for (size_t i = 0; p->t->fields[i] != NULL; i++)
		buf_addf(&b, " %s", p->t->fields[i]);
	return wrong(p, w.p, ERR_INVALID, b.p);
}

static enum err
filter_arg(struct parser *p, struct str *s, struct use *u)
{
	const char *at = s->p;
	uint64_t n;

	skip(s);
	if (s->n == 0 || *s->p != ':')
		return wrong(p, at, ERR_INVALID, u->filter == FILTER_DEFAULT ?
		    "default needs a text: default:\"none\"" :
		    "truncate needs a number: truncate:80");
	s->p++;
	s->n--;
	skip(s);
	if (u->filter == FILTER_DEFAULT)
		return quoted_take(s, &u->text) ? ERR_OK : wrong(p, s->p,
		    ERR_INVALID, "the text of default stands in \"quotes\"");
	if (!str_u64(word_take(s), TEMPLATE_BYTES_MAX, &n) || n == 0)
		return wrong(p, at, ERR_INVALID,
		    "truncate takes a number from 1 to 16384");
	u->n = (uint32_t)n;
	return ERR_OK;
}

static enum err
filter_take(struct parser *p, struct str *s, struct op *op)
{
	struct use u = {.filter = FILTER_NMAX};
	struct str w;
	enum err e = ERR_OK;

	s->p++;   /* the bar */
	s->n--;
	skip(s);
	w = word_take(s);
	for (unsigned i = 0; i < FILTER_NMAX; i++)
		if (str_is(w, filter_names[i]))
			u.filter = (enum filter)i;
	if (u.filter == FILTER_NMAX)
		return wrong(p, w.p, ERR_INVALID, "not a filter; allowed: "
		    "upper lower truncate:N default:\"text\" json html url "
		    "raw");
	if (op->nuses == TEMPLATE_FILTERS_MAX)
		return wrong(p, w.p, ERR_LIMIT, "at most 6 filters");
	if (op->nuses > 0 && op->uses[op->nuses - 1].filter >= FILTER_JSON)
		return wrong(p, w.p, ERR_INVALID,
		    "json, html, url and raw come last");
	if (u.filter == FILTER_TRUNCATE || u.filter == FILTER_DEFAULT)
		e = filter_arg(p, s, &u);
	op->uses[op->nuses++] = u;
	return e;
}

static enum err
value_take(struct parser *p, struct str in)
{
	struct op *op = op_add(p, OP_VALUE);
	enum err e = field_take(p, &in, &op->field);

	for (skip(&in); e == ERR_OK && in.n > 0 && *in.p == '|'; skip(&in))
		e = filter_take(p, &in, op);
	if (e == ERR_OK && in.n > 0)
		e = wrong(p, in.p, ERR_INVALID,
		    "only filters may follow a field: {{name | upper}}");
	return e;
}

static enum err
open_take(struct parser *p, struct str in)
{
	const char *at = in.p;
	struct str w;
	struct op *op;
	enum err e = ERR_OK;

	in.p++;   /* # */
	in.n--;
	w = word_take(&in);
	if (p->depth == TEMPLATE_DEPTH_MAX)
		return wrong(p, at, ERR_LIMIT, "nested deeper than 8");
	if (str_is(w, "if")) {
		op = op_add(p, OP_IF);
		e = field_take(p, &in, &op->field);
		skip(&in);
		if (e == ERR_OK && str_starts(in, STR("=="))) {
			in.p += 2;
			in.n -= 2;
			skip(&in);
			op->compare = true;
			if (!quoted_take(&in, &op->text))
				return wrong(p, in.p, ERR_INVALID,
				    "== takes a text in \"quotes\"");
		}
	} else if (str_is(w, "each")) {
		skip(&in);
		if (!str_is(word_take(&in), "events"))
			return wrong(p, at, ERR_INVALID,
			    "each goes over events: {{#each events}}");
		if (p->in_each)
			return wrong(p, at, ERR_INVALID,
			    "each stands within another each");
		p->in_each = true;
		(void)op_add(p, OP_EACH);
	} else {
		return wrong(p, at, ERR_INVALID,
		    "not a block; allowed: {{#if field}} {{#each events}}");
	}
	skip(&in);
	if (e == ERR_OK && in.n > 0)
		return wrong(p, in.p, ERR_INVALID, "nothing may follow here");
	p->open[p->depth++] = p->t->nops - 1;
	return e;
}

static enum err
else_take(struct parser *p, const char *at)
{
	struct op *was = p->depth > 0 ?
	    &p->t->ops[p->open[p->depth - 1]] : NULL;

	if (was == NULL || was->kind != OP_IF)
		return wrong(p, at, ERR_INVALID, "there is no if to this else");
	was->to = p->t->nops + 1;
	(void)op_add(p, OP_ELSE);
	p->open[p->depth - 1] = p->t->nops - 1;
	return ERR_OK;
}

static enum err
end_take(struct parser *p, struct str in)
{
	const char *at = in.p;
	struct op *was;
	size_t opened;

	in = str_trim((struct str){in.p + 1, in.n - 1});
	opened = p->depth > 0 ? p->open[p->depth - 1] : 0;
	was = p->depth > 0 ? &p->t->ops[opened] : NULL;
	if (was == NULL || !str_is(in, was->kind == OP_EACH ? "each" : "if"))
		return wrong(p, at, ERR_INVALID, was == NULL ?
		    "nothing is open that could end here" :
		    was->kind == OP_EACH ? "{{/each}} has to come first" :
		    "{{/if}} has to come first");
	was->to = p->t->nops;
	if (was->kind == OP_EACH)
		p->in_each = false;
	p->depth--;
	op_add(p, OP_END)->to = was->kind == OP_EACH ? opened : SIZE_MAX;
	return ERR_OK;
}

/* Where "}}" is, quotes skipped. */
static const char *
close_find(struct str s)
{
	bool quoted = false;

	for (size_t i = 0; i + 1 < s.n; i++) {
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && s.p[i] == '}' && s.p[i + 1] == '}')
			return s.p + i;
	}
	return NULL;
}

static enum err
tag_take(struct parser *p)
{
	const char *at = p->rest.p, *end;
	struct str in;

	end = close_find((struct str){at + 2, p->rest.n - 2});
	if (end == NULL)
		return wrong(p, at, ERR_INVALID, "{{ without its }}");
	in = str_trim((struct str){at + 2, (size_t)(end - at) - 2});
	p->rest.n -= (size_t)(end - at) + 2;
	p->rest.p = end + 2;
	if (in.n > 0 && *in.p == '#')
		return open_take(p, in);
	if (in.n > 0 && *in.p == '/')
		return end_take(p, in);
	if (str_is(in, "else"))
		return else_take(p, at);
	return value_take(p, in);
}

static const char *
tag_find(struct str s)
{
	for (size_t i = 0; i + 1 < s.n; i++)
		if (s.p[i] == '{' && s.p[i + 1] == '{')
			return s.p + i;
	return s.p + s.n;
}

enum err
template_parse(struct str text, const char *const *fields,
    struct template **ret, struct errinfo *ei)
{
	struct template *t CLEANUP(template_freep) = xcalloc(1, sizeof(*t));
	struct parser p = {.t = t, .ei = ei};
	enum err e = ERR_OK;

	if (text.n > TEMPLATE_BYTES_MAX)
		return fail(ei, ERR_LIMIT, "longer than %u bytes",
		    TEMPLATE_BYTES_MAX);
	if (!text_utf8_ok(text) ||
	    (text.n > 0 && memchr(text.p, '\0', text.n) != NULL))
		return fail(ei, ERR_INVALID, "not UTF-8 text");
	t->text = xstrndup(text.p != NULL ? text.p : "", text.n);
	t->fields = fields;
	p.all = p.rest = (struct str){t->text, text.n};
	while (e == ERR_OK && p.rest.n > 0) {
		const char *tag = tag_find(p.rest);

		if (tag > p.rest.p)
			op_add(&p, OP_TEXT)->text = (struct str){p.rest.p,
			    (size_t)(tag - p.rest.p)};
		p.rest.n -= (size_t)(tag - p.rest.p);
		p.rest.p = tag;
		if (p.rest.n > 0)
			e = tag_take(&p);
	}
	if (e == ERR_OK && p.depth > 0)
		e = wrong(&p, p.all.p + p.all.n, ERR_INVALID,
		    t->ops[p.open[p.depth - 1]].kind == OP_EACH ?
		    "an each is not ended: {{/each}}" :
		    "an if is not ended: {{/if}}");
	if (e == ERR_OK)
		*ret = TAKE(t);
	return e;
}

/* -- running ---------------------------------------------------------------- */

/* ASCII only: case is a matter of languages, and names are not ours. */
static void
recase(struct buf *b, bool upper)
{
	for (size_t i = 0; i < b->n; i++) {
		char c = b->p[i];

		if (upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z')
			b->p[i] = (char)(c ^ 0x20);
	}
}

static void
cut(struct buf *b, size_t max)
{
	struct str s = buf_str(b);

	if (text_size(s, TEXT_CHARS) <= max)
		return;
	b->n = text_cut(s, max - 1, TEXT_CHARS).n;
	b->p[b->n] = '\0';
	buf_adds(b, "\xe2\x80\xa6");
}

static void
value_write(const struct op *op, const struct template_source *s,
    struct buf *v, struct buf *out)
{
	for (size_t i = 0; i < op->nuses; i++) {
		const struct use *u = &op->uses[i];

		switch (u->filter) {
		case FILTER_UPPER:
		case FILTER_LOWER:
			recase(v, u->filter == FILTER_UPPER);
			break;
		case FILTER_TRUNCATE:
			cut(v, u->n);
			break;
		case FILTER_DEFAULT:
			if (v->n == 0)
				buf_add(v, u->text);
			break;
		case FILTER_JSON:
			text_json(out, buf_str(v));
			return;
		case FILTER_HTML:
			text_html(out, buf_str(v));
			return;
		case FILTER_URL:
			text_url(out, buf_str(v));
			return;
		case FILTER_RAW:
			buf_add(out, buf_str(v));
			return;
		case FILTER_NMAX:
			break;
		}
	}
	if (s->escape != NULL)
		s->escape(s, op->field, buf_str(v), out);
	else
		buf_add(out, buf_str(v));
}

static bool
is_so(const struct op *op, struct str v)
{
	return op->compare ? str_eq(v, op->text) : v.n > 0;
}

void
template_run(const struct template *t, const struct template_source *s,
    struct buf *out)
{
	size_t i = TEMPLATE_WHOLE, last = s->first + s->n;
	BUF_AUTO(v, out->max);

	for (size_t pc = 0; pc < t->nops && buf_ok(out); pc++) {
		const struct op *op = &t->ops[pc];

		switch (op->kind) {
		case OP_TEXT:
			buf_add(out, op->text);
			break;
		case OP_VALUE:
			buf_clear(&v);
			s->field(s, op->field, i, &v);
			value_write(op, s, &v, out);
			break;
		case OP_IF:
			buf_clear(&v);
			s->field(s, op->field, i, &v);
			if (!is_so(op, buf_str(&v)))
				pc = op->to - 1;
			break;
		case OP_ELSE:
			pc = op->to - 1;
			break;
		case OP_EACH:
			/* Comes by again from its END. */
			i = i == TEMPLATE_WHOLE ? s->first : i + 1;
			if (i < last)
				break;
			i = TEMPLATE_WHOLE;
			pc = op->to;
			break;
		case OP_END:
			if (op->to != SIZE_MAX)
				pc = op->to - 1;
			break;
		}
	}
}
