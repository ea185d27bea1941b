/* Telling whether protobuf's decoder would take a payload.
 *
 * In a guest the decoder's way to refuse bytes is a trap (see include/setjmp.h), which ends the
 * instance. So this walk over the bytes, along the schema, refuses everything that the decoder
 * refuses, before the decoder sees it. It may refuse a little more (deep nesting), never less.
 */
#include "check.h"

static int refuse(Refusal *refusal, const uint8_t *at, const char *what, const Message *message,
                  uint32_t number) {
  *refusal = (Refusal){
      .at = at,
      .what = what,
      .message = message,
      .field = field_of(message, number),
  };
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

#define NOT_ASCII 0x8080808080808080u

/* Most texts are short and plain: words that overlap see to the odd bytes at the end. */
static inline int is_ascii(const uint8_t *p, size_t size) {
  if (size >= 8) {
    const uint8_t *last = p + size - 8;
    uint64_t seen = load64(last);
    for (; p < last; p += 8) seen |= load64(p);
    return !(seen & NOT_ASCII);
  }
  if (size >= 4) return !((load32(p) | load32(p + size - 4)) & (uint32_t)NOT_ASCII);
  return !size || !((p[0] | p[size / 2] | p[size - 1]) & 0x80);
}

int is_utf8(const uint8_t *p, const uint8_t *end) {
  if (LIKELY(is_ascii(p, (size_t)(end - p)))) return 1;
  while (p < end) {
    if (end - p >= 8 && !(load64(p) & NOT_ASCII)) {
      p += 8;
      continue;
    }
    int size = utf8_sequence(p, end);
    if (!size) return 0;
    p += size;
  }
  return 1;
}

/* Numbers in a row, without tags. */
static const char *check_packed(const uint8_t *p, const uint8_t *end, unsigned check) {
  uint64_t value;
  if (check == CHECK_PACKED_64BIT) {
    return (end - p) % 8 ? "is packed and no multiple of 8 bytes long" : NULL;
  }
  if (check == CHECK_PACKED_32BIT) {
    return (end - p) % 4 ? "is packed and no multiple of 4 bytes long" : NULL;
  }
  while (p < end) {
    p = read_varint(p, end, &value);
    if (!p) return "holds a broken number";
  }
  return NULL;
}

/* Whether a KeyValue is as nearly all are, and so needs no closer look: a short key, a value that is
 * a short text, a number or a truth value, and nothing else. */
static int is_usual_pair(const uint8_t *start, const uint8_t *end) {
  enum { KEY = 1 << 3 | WIRE_BYTES, VALUE = 2 << 3 | WIRE_BYTES, TEXT = 1 << 3 | WIRE_BYTES };
  enum { TRUTH = 2 << 3 | WIRE_VARINT, WHOLE = 3 << 3 | WIRE_VARINT, DOUBLE = 4 << 3 | WIRE_64BIT };
  size_t size = (size_t)(end - start);
  if (size < 6 || size > 255 || start[0] != KEY || start[1] >= 0x80 || start[1] + 6u > size) {
    return 0;
  }
  const uint8_t *p = start + 2 + start[1];
  if (p[0] != VALUE || p[1] >= 0x80 || p[1] != end - p - 2) return 0;
  p += 2;
  switch (p[0]) {
    case TEXT: /* tags and lengths are no characters beyond ASCII either */
      return p[1] == end - p - 2 && is_ascii(start, size);
    case TRUTH:
    case WHOLE:
      return end - p == 2 && is_ascii(start, size);
    case DOUBLE:
      return end - p == 9 && is_ascii(start, size - 8);
  }
  return 0;
}

int check_message(const uint8_t *p, const uint8_t *end, const Message *message, int depth,
                  Refusal *refusal, Tally *tally) {
  const uint8_t *checks = message->checks;
  uint32_t count = message->number_count;
  while (p < end) {
    const uint8_t *at = p;
    uint32_t tag;
    size_t length;
    p = read_tag(p, end, &tag);
    if (!p) return refuse(refusal, at, "holds a broken tag", message, 0);
    uint32_t number = tag >> 3;
    if ((tag & 7) != WIRE_BYTES) {
      p = skip_value(p, end, tag, depth);
      if (!p) return refuse(refusal, at, "is cut off or broken", message, number);
      continue;
    }
    p = read_length(p, end, &length);
    if (!p) return refuse(refusal, at, "is longer than what it is in", message, number);
    const uint8_t *stop = p + length;
    const char *what = NULL;
    unsigned check = number < count ? checks[number] : CHECK_NOTHING;
    if (check == CHECK_MESSAGE + KEY_VALUE && depth > 1 && is_usual_pair(p, stop)) {
      p = stop;
      continue;
    }
    if (check >= CHECK_MESSAGE) {
      if (depth <= 0) return refuse(refusal, at, "is nested too deeply", message, number);
      unsigned inner = check - CHECK_MESSAGE;
      tally->count += tally->targets >> inner & 1;
      if (!check_message(p, stop, &MESSAGES[inner], depth - 1, refusal, tally)) return 0;
    } else if (check == CHECK_UTF8) {
      if (!is_utf8(p, stop)) what = "is not UTF-8";
    } else if (check) {
      what = check_packed(p, stop, check);
    }
    if (what) return refuse(refusal, at, what, message, number);
    p = stop;
  }
  return 1;
}

PyObject *malformed_error;

void malformed_raise(const char *text) {
  PyErr_SetString(malformed_error ? malformed_error : PyExc_ValueError, text);
}

static const char *signal_of(uint8_t root) {
  static const char *const names[] = {"traces", "metrics", "logs", "profiles"};
  int signal = 0;
  while (ROOTS[signal] != root) signal++;
  return names[signal];
}

void refusal_raise(const Refusal *refusal, const uint8_t *start, uint8_t root) {
  PyErr_Format(malformed_error ? malformed_error : PyExc_ValueError,
               "malformed %s payload: byte %zd: %s%s%s %s", signal_of(root),
               (Py_ssize_t)(refusal->at - start), refusal->message->name,
               refusal->field ? "." : "", refusal->field ? refusal->field->name : "",
               refusal->what);
}
