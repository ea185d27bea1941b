/* Messages made of dicts. */
#ifndef OTELWASM_MESSAGE_H
#define OTELWASM_MESSAGE_H

#include "buffer.h"
#include "schema.h"

/* Writes the content of a message whose fields, by OTLP's names, a dict holds; -1 with an
 * exception. Attributes are a dict too, a body any value, what is in a message a dict, or a list or
 * tuple of them. */
int encode_message(Buffer *buffer, const Message *message, PyObject *dict);

#endif
