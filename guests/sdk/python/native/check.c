/* Telling whether protobuf's decoder would take a payload.
 *
 * In a guest the decoder's way to refuse bytes is a trap (see include/setjmp.h), which ends the
 * instance. So this walk over the bytes, along the schema, refuses everything that the decoder
 * refuses, before the decoder sees it. It may refuse a little more (deep nesting), never less.
 */
#include "check.h"

static int refuse(Refusal *refusal, const uint8_t *at, const char *what, const Message *message,
                  const Field *field) {
  *refusal = (Refusal){.at = at, .what = what, .message = message, .field = field};
  return 0;
}

/* How many bytes the sequence at p has; 0 when it is not UTF-8. Surrogates, overlong forms and
 * code points past U+10FFFF are not (Unicode, table 3-7). */
static int utf8_sequence(const uint8_t *p, const uint8_t *end) {
  uint8_t lead = p[0], low = 0x80, high = 0xbf;
  int size;
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) {
    size = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    size = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    size = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else {
    return 0;
  }
  if (end - p < size || p[1] < low || p[1] > high) return 0;
  for (int i = 2; i < size; i++) {
    if ((p[i] & 0xc0) != 0x80) return 0;
  }
  return size;
}

int is_utf8(const uint8_t *p, const uint8_t *end) {
  while (p < end) {
    uint64_t word;
    while (end - p >= 8) { /* eight ASCII characters at once */
      memcpy(&word, p, 8);
      if (word & 0x8080808080808080u) break;
      p += 8;
    }
    if (p == end) break;
    int size = utf8_sequence(p, end);
    if (!size) return 0;
    p += size;
  }
  return 1;
}

/* Numbers in a row, without tags: of 8 bytes, of 4, or varints. */
static const char *check_packed(const uint8_t *p, const uint8_t *end, const Field *field) {
  uint64_t value;
  switch (field->kind) {
    case KIND_DOUBLE:
    case KIND_FIXED64:
    case KIND_SFIXED64:
      return (end - p) % 8 ? "is packed and no multiple of 8 bytes long" : NULL;
    case KIND_FLOAT:
    case KIND_FIXED32:
    case KIND_SFIXED32:
      return (end - p) % 4 ? "is packed and no multiple of 4 bytes long" : NULL;
  }
  while (p < end) {
    p = read_varint(p, end, &value);
    if (!p) return "holds a broken number";
  }
  return NULL;
}

int check_message(const uint8_t *p, const uint8_t *end, const Message *message, int depth,
                  Refusal *refusal) {
  while (p < end) {
    const uint8_t *at = p;
    uint64_t tag;
    size_t length;
    p = read_tag(p, end, &tag);
    if (!p) return refuse(refusal, at, "holds a broken tag", message, NULL);
    const Field *field = field_of(message, tag >> 3);
    if ((tag & 7) != WIRE_BYTES) {
      p = skip_value(p, end, tag, depth);
      if (!p) return refuse(refusal, at, "is cut off or broken", message, field);
      continue;
    }
    p = read_length(p, end, &length);
    if (!p) return refuse(refusal, at, "is longer than what it is in", message, field);
    const uint8_t *stop = p + length;
    const char *what = NULL;
    if (!field) {
      /* unknown: its bytes are only kept */
    } else if (field->kind == KIND_MESSAGE) {
      if (depth <= 0) return refuse(refusal, at, "is nested too deeply", message, field);
      if (!check_message(p, stop, &MESSAGES[field->message], depth - 1, refusal)) return 0;
    } else if (field->kind == KIND_STRING) {
      if (!is_utf8(p, stop)) what = "is not UTF-8";
    } else if (field->repeated && field->kind != KIND_BYTES) {
      what = check_packed(p, stop, field);
    }
    if (what) return refuse(refusal, at, what, message, field);
    p = stop;
  }
  return 1;
}

void refusal_raise(const Refusal *refusal, const uint8_t *start) {
  PyErr_Format(PyExc_ValueError, "malformed OTLP payload: byte %zd: %s%s%s %s",
               (Py_ssize_t)(refusal->at - start), refusal->message->name,
               refusal->field ? "." : "", refusal->field ? refusal->field->name : "",
               refusal->what);
}
