/* Attribute values, and numbers and texts of fields, between the wire and Python. */
#ifndef OTELWASM_VALUE_H
#define OTELWASM_VALUE_H

#include "buffer.h"
#include "schema.h"
#include "wire.h"

/* How many lists or maps a value may nest. A request may nest 99 messages, an attribute stands at
 * most eight deep in it, and a map takes three. */
enum { MAX_NESTING = 30 };

/* Field numbers of AnyValue, KeyValue, ArrayValue and KeyValueList. */
enum {
  ANY_STRING = 1,
  ANY_BOOL = 2,
  ANY_INT = 3,
  ANY_DOUBLE = 4,
  ANY_ARRAY = 5,
  ANY_KVLIST = 6,
  ANY_BYTES = 7,
  ANY_STRINDEX = 8,
  PAIR_KEY = 1,
  PAIR_VALUE = 2,
  LIST_VALUES = 1,
};

typedef struct {
  const uint8_t *data;
  const uint8_t *end;
} Range;

static inline size_t range_size(Range range) {
  return (size_t)(range.end - range.data);
}
static inline int range_equals(Range one, Range other) {
  size_t size = range_size(one);
  return size == range_size(other) && same_bytes(one.data, other.data, size);
}

/* The key of a KeyValue: 1 where the value behind it is all else, 0 for anything more unusual,
 * -1 for bytes that are no KeyValue. */
int pair_key(Range pair, Range *key);

/* 1 where a KeyValue's value is a text, written in the usual way, and that is all it holds. */
int pair_text(Range pair, Range *text);

/* The Python value of an AnyValue, or of a KeyValue's value; NULL with an exception. */
PyObject *decode_any(Range value);
PyObject *decode_pair_value(Range pair);

/* The content of an AnyValue, and a whole KeyValue as a field of that number. */
int encode_any(Buffer *buffer, PyObject *value, int nesting);
int encode_pair(Buffer *buffer, uint32_t number, Range key, PyObject *value);
/* A KeyValue that differs from *pair* in its value alone, given as an encoded AnyValue, or in its
 * key alone: whatever else the sender put into it stays. */
int encode_pair_with_value(Buffer *buffer, uint32_t number, Range pair, Range value);
int encode_pair_with_key(Buffer *buffer, uint32_t number, Range pair, Range key);

/* The wire type of a single value of a field. */
uint32_t wire_of(const Field *field);
/* Whether what read_field gave is of the field's kind; anything else is an unknown field. */
int is_value_of(const Field *field, const WireField *wire);
/* One number, text or bytes of a field: what read_field gave, and back as a whole field. */
PyObject *decode_scalar(const Field *field, const WireField *wire);
PyObject *default_scalar(const Field *field);
int encode_scalar(Buffer *buffer, const Field *field, PyObject *value);
/* A repeated field of those: appends what this part of it holds, and writes all of it. */
int decode_repeated(const Field *field, const WireField *wire, PyObject *list);
int encode_repeated(Buffer *buffer, const Field *field, PyObject *values);

/* The UTF-8 of a str; -1 with an exception. */
int text_range(PyObject *text, Range *range);

#endif
