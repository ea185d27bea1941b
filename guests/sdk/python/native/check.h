/* Telling whether protobuf's decoder would take a payload. */
#ifndef OTELWASM_CHECK_H
#define OTELWASM_CHECK_H

#include <Python.h>

#include "schema.h"
#include "wire.h"

typedef struct {
  const uint8_t *at;
  const char *what;       /* "is not UTF-8" */
  const Message *message; /* the innermost message at that place */
  const Field *field;     /* NULL where no known field is concerned */
} Refusal;

/* Messages to count on the way. */
typedef struct {
  uint64_t targets; /* bit n: MESSAGES[n] is one */
  size_t count;
} Tally;

/* 1 when the bytes are a message of this type that protobuf decodes, and encodes again. */
int check_message(const uint8_t *p, const uint8_t *end, const Message *message, int depth,
                  Refusal *refusal, Tally *tally);

/* Raises that a payload of that root is malformed, and where, counted from *start*. */
void refusal_raise(const Refusal *refusal, const uint8_t *start, uint8_t root);

/* What is raised for malformed payloads; while it is NULL, ValueError. */
extern PyObject *malformed_error;
void malformed_raise(const char *text);

int is_utf8(const uint8_t *p, const uint8_t *end);

#endif
