/* What OTLP's messages look like; the tables in schema.c are generated from opentelemetry-proto. */
#ifndef OTELWASM_SCHEMA_H
#define OTELWASM_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

/* A field's type, numbered as protobuf's descriptors number it. */
enum Kind {
  KIND_DOUBLE = 1,
  KIND_FLOAT = 2,
  KIND_INT64 = 3,
  KIND_UINT64 = 4,
  KIND_INT32 = 5,
  KIND_FIXED64 = 6,
  KIND_FIXED32 = 7,
  KIND_BOOL = 8,
  KIND_STRING = 9,
  KIND_MESSAGE = 11,
  KIND_BYTES = 12,
  KIND_UINT32 = 13,
  KIND_ENUM = 14,
  KIND_SFIXED32 = 15,
  KIND_SFIXED64 = 16,
  KIND_SINT32 = 17,
  KIND_SINT64 = 18,
};

/* What the bytes of a field have to be: as a number, for the check's inner loop. */
enum Check {
  CHECK_NOTHING = 0,
  CHECK_UTF8 = 1,
  CHECK_PACKED_64BIT = 2,
  CHECK_PACKED_32BIT = 3,
  CHECK_PACKED_VARINT = 4,
  CHECK_MESSAGE = 16, /* plus the message's place in MESSAGES */
};

typedef struct {
  const char *name;
  uint8_t number;
  uint8_t kind;
  uint8_t message; /* the message's index, where kind is KIND_MESSAGE */
  uint8_t repeated;
  uint8_t oneof; /* fields of one oneof share a number above 0 */
} Field;

typedef struct {
  const char *name;
  const Field *fields;
  const uint8_t *by_number; /* a field's number -> its place in fields, plus one; 0 is unknown */
  const uint8_t *checks;    /* a field's number -> what its bytes have to be */
  uint8_t field_count;
  uint8_t number_count;
  uint8_t attributes;   /* the number of its repeated KeyValue field, or 0 */
  uint8_t is_container; /* exists for what it holds: goes when the last of it is dropped */
  uint32_t singles;     /* bit n: field n holds a message, and one only */
} Message;

/* A kind of message that operations and iterations are about, and the way there. */
typedef struct {
  const char *name;
  uint64_t targets;        /* bit n: MESSAGES[n] is one */
  const uint32_t *descend; /* by message: bit n: field n is one or leads to one */
} Level;

enum { SIGNAL_COUNT = 4, KEY_VALUE = 3, ANY_VALUE = 4 };

extern const Message MESSAGES[];
extern const int MESSAGE_COUNT;
extern const Level LEVELS[];
extern const int LEVEL_COUNT;
/* By the contract's signal number: the request, and the level of what it is made of. */
extern const uint8_t ROOTS[SIGNAL_COUNT];
extern const uint8_t ITEMS[SIGNAL_COUNT];

static inline const Field *field_of(const Message *message, uint64_t number) {
  uint8_t place = number < message->number_count ? message->by_number[number] : 0;
  return place ? &message->fields[place - 1] : NULL;
}

#endif
