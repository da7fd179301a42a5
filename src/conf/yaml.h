/* yaml.h: a JSON value as YAML that a person would write: block style, short
 * lists in one line, quotes only where YAML could read something else. What
 * is written reads back (tree_from_yaml) as the same value. */
#ifndef CONF_YAML_H
#define CONF_YAML_H

#include <jansson.h>

#include "base/buf.h"

/* Ends with a newline. Whether all fitted says buf_ok. */
void tree_yaml_write(const json_t *doc, struct buf *out);

#endif
