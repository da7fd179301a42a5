/* Whatever the template is, it is refused with a position or it runs, ends,
 * and stays within its buffer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/template.h"
#include "base/text.h"
#include "model/alert_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
value(const struct template_source *s, size_t field, size_t i,
    struct buf *out)
{
	(void)s;
	if (field >= FIELD_NMAX)
		abort();
	if (i == TEMPLATE_WHOLE || i % 2 == 0)
		buf_adds(out, alert_field_names[field]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct template_source s = {2, 5, value, NULL};
	struct template *t = NULL;
	struct errinfo ei = {0};
	BUF_AUTO(out, 4096);

	if (template_parse((struct str){(const char *)data, size},
	    alert_field_names, &t, &ei) != ERR_OK) {
		if (t != NULL || ei.text[0] == '\0')
			abort();
		return 0;
	}
	template_run(t, &s, &out);
	if (out.n > 4096 || (buf_ok(&out) && !text_utf8_ok(buf_str(&out))))
		abort();
	template_free(t);
	return 0;
}
