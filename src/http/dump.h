/* dump.h: a JSON tree as YAML, for export: block style, plain words where no
 * reader could take them for something else, double quotes otherwise. */
#ifndef HTTP_DUMP_H
#define HTTP_DUMP_H

#include <jansson.h>

#include "base/buf.h"

#define DUMP_DEPTH_MAX 32

void dump_yaml(struct buf *b, const json_t *v);

#endif
