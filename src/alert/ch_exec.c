/* Exec: a program of the user's, started without a shell, with the event on
 * its standard input as JSON and in its environment as VEDETTE_*. What may be
 * started is listed by whoever writes the configuration file, so that an
 * account of the API cannot run programs. */
#include <stdio.h>
#include <string.h>

#include "alert/request.h"

#define EXEC_MAX ((size_t)1 << 20)
#define ENV_MAX  8192   /* bytes of one variable */

static void
env_add(struct alert_request *r, const char *name, struct str value)
{
	BUF_AUTO(b, ENV_MAX + 64);

	buf_adds(&b, "VEDETTE_");
	for (; *name != '\0'; name++)
		buf_addc(&b, (char)(*name >= 'a' && *name <= 'z' ?
		    *name - 0x20 : *name));
	buf_addc(&b, '=');
	buf_add(&b, text_cut(value, ENV_MAX, TEXT_BYTES));
	request_push(&r->env, b.p);
}

static size_t
exec_size(const struct alert_message *m, const struct alert_part *p)
{
	BUF_AUTO(b, EXEC_MAX);

	message_json(m, p, &b);
	return buf_ok(&b) ? b.n : SIZE_MAX;
}

static enum err
exec_build(const struct alert_message *m, const struct alert_part *p,
    struct alert_request *ret, struct errinfo *ei)
{
	const struct channel_own *own = &m->channel->own;
	char shown[160];

	if (own->command.n == 0 || !channel_exec_allowed(
	    m->place->exec_allow, str_of(own->command.v[0])))
		return fail(ei, ERR_DENIED, "%s may not be started; "
		    "alerts.exec_allow lists the programs and directories "
		    "that may", text_copy(shown, sizeof(shown),
		    str_of(own->command.n > 0 ? own->command.v[0] : "")));
	ret->kind = REQUEST_EXEC;
	ret->timeout_ns = own->timeout_ns;
	for (size_t i = 0; i < own->command.n; i++)
		request_push(&ret->argv, own->command.v[i]);
	request_push(&ret->env, "PATH=/usr/local/sbin:/usr/local/bin:"
	    "/usr/sbin:/usr/bin:/sbin:/bin");
	request_push(&ret->env, "LANG=C.UTF-8");
	for (size_t f = 0; f < FIELD_NMAX; f++) {
		BUF_AUTO(v, ALERT_BODY_MAX);

		message_field(m, p, (enum alert_field)f, TEMPLATE_WHOLE, &v);
		env_add(ret, alert_field_names[f], buf_str(&v));
	}
	buf_init(&ret->body, ALERT_BODY_MAX);
	message_json(m, p, &ret->body);
	return ERR_OK;
}

const struct alert_kind_row alert_exec = {
	.name = "exec", .grouped = true, .text_max = EXEC_MAX,
	.size = exec_size, .build = exec_build,
};
