/* Putting texts in where a profile's messages refer to the table of texts. */
#include "inline.h"

#include "value.h"
#include "walk.h"

enum { PAIR_STRINDEX = 3, DICTIONARY = 2, STRING_TABLE = 5, ATTRIBUTE_TABLE = 6, ENTRY_VALUE = 2 };

typedef struct {
  Range *texts;
  size_t count;
  size_t capacity;
} Texts;

static Range text_at(const Texts *texts, uint64_t index) {
  static const uint8_t nothing[1];
  return index < texts->count ? texts->texts[index] : (Range){nothing, nothing};
}

static int add_text(Texts *texts, Range text) {
  if (texts->count == texts->capacity) {
    size_t capacity = texts->capacity ? texts->capacity * 2 : 64;
    Range *more = realloc(texts->texts, capacity * sizeof *more);
    if (!more) {
      PyErr_NoMemory();
      return -1;
    }
    texts->texts = more;
    texts->capacity = capacity;
  }
  texts->texts[texts->count++] = text;
  return 0;
}

static int inline_pair(Buffer *buffer, Range pair, const Texts *texts, int depth);

typedef int (*InlineOne)(Buffer *buffer, Range content, const Texts *texts, int depth);

/* Copies a message, and lets *one* write what is in its fields of that number. */
static int copy_with(Buffer *buffer, Range message, uint32_t number, InlineOne one,
                     const Texts *texts, int depth) {
  const uint8_t *p = message.data;
  size_t mark;
  while (p < message.end) {
    WireField field;
    p = read_field(p, message.end, &field);
    if (!p) return 1;
    if (field.number != number || field.wire != WIRE_BYTES) {
      if (buffer_put(buffer, field.start, (size_t)(field.end - field.start))) return -1;
      continue;
    }
    if (buffer_begin(buffer, number, &mark)) return -1;
    int result = one(buffer, (Range){field.data, field.end}, texts, depth);
    if (result || buffer_end(buffer, mark)) return result ? result : -1;
  }
  return 0;
}

static int inline_any(Buffer *buffer, Range any, const Texts *texts, int depth);

static int inline_list(Buffer *buffer, Range list, const Texts *texts, int depth) {
  return copy_with(buffer, list, LIST_VALUES, inline_any, texts, depth);
}

static int inline_map(Buffer *buffer, Range map, const Texts *texts, int depth) {
  return copy_with(buffer, map, LIST_VALUES, inline_pair, texts, depth);
}

static int inline_any(Buffer *buffer, Range any, const Texts *texts, int depth) {
  const uint8_t *p = any.data;
  size_t mark;
  if (depth > MAX_DEPTH) return 1;
  while (p < any.end) {
    WireField field;
    int result = 0;
    p = read_field(p, any.end, &field);
    if (!p) return 1;
    if (field.number == ANY_STRINDEX && field.wire == WIRE_VARINT) {
      Range text = text_at(texts, field.value);
      result = buffer_bytes(buffer, ANY_STRING, text.data, range_size(text));
    } else if (field.wire == WIRE_BYTES &&
               (field.number == ANY_ARRAY || field.number == ANY_KVLIST)) {
      InlineOne inner = field.number == ANY_ARRAY ? inline_list : inline_map;
      result = buffer_begin(buffer, field.number, &mark);
      if (!result) result = inner(buffer, (Range){field.data, field.end}, texts, depth + 1);
      if (!result) result = buffer_end(buffer, mark);
    } else {
      result = buffer_put(buffer, field.start, (size_t)(field.end - field.start));
    }
    if (result) return result;
  }
  return 0;
}

static int inline_pair(Buffer *buffer, Range pair, const Texts *texts, int depth) {
  const uint8_t *p = pair.data;
  size_t mark;
  Range key;
  if (pair_key(pair, &key) < 0) return 1;
  while (p < pair.end) {
    WireField field;
    int result = 0;
    p = read_field(p, pair.end, &field);
    if (!p) return 1;
    if (field.number == PAIR_STRINDEX && field.wire == WIRE_VARINT && key.data == key.end) {
      Range text = text_at(texts, field.value);
      result = buffer_bytes(buffer, PAIR_KEY, text.data, range_size(text));
    } else if (field.number == PAIR_VALUE && field.wire == WIRE_BYTES) {
      result = buffer_begin(buffer, field.number, &mark);
      if (!result) result = inline_any(buffer, (Range){field.data, field.end}, texts, depth);
      if (!result) result = buffer_end(buffer, mark);
    } else {
      result = buffer_put(buffer, field.start, (size_t)(field.end - field.start));
    }
    if (result) return result;
  }
  return 0;
}

/* Rewrites the messages of that field; only those that then differ are changed. */
static int inline_fields(Place *place, uint32_t number, InlineOne one, const Texts *texts) {
  Tree *tree = place->tree;
  Cursor cursor = cursor_at(place);
  WireField field;
  int got;
  while ((got = cursor_next(&cursor, &field)) > 0) {
    if (field.number != number || field.wire != WIRE_BYTES) continue;
    Buffer *buffer = tree_scratch(tree);
    Range content = {field.data, field.end};
    int result = one(buffer, content, texts, 0);
    if (result > 0) tree_malformed(tree);
    if (result) return -1;
    if (range_equals(content, (Range){buffer->bytes, buffer->bytes + buffer->size})) continue;
    const uint8_t *copy = arena_copy(&tree->arena, buffer->bytes, buffer->size);
    if (!copy || change_message(&cursor, &field, copy, buffer->size)) return -1;
  }
  return got;
}

static int inline_attributes(void *task, Place *place, int *is_gone) {
  (void)is_gone;
  return inline_fields(place, MESSAGES[place->message].attributes, inline_pair, task);
}

static int inline_entry(Buffer *buffer, Range entry, const Texts *texts, int depth) {
  return copy_with(buffer, entry, ENTRY_VALUE, inline_any, texts, depth);
}

static int read_texts(Place *dictionary, Texts *texts) {
  Cursor cursor = cursor_at(dictionary);
  WireField field;
  int got, failed = 0;
  while (!failed && (got = cursor_next(&cursor, &field)) > 0) {
    if (field.number != STRING_TABLE || field.wire != WIRE_BYTES) continue;
    failed = add_text(texts, (Range){field.data, field.end});
  }
  return failed || got < 0 ? -1 : 0;
}

int inline_texts(Place *root) {
  const Field *field = field_of(&MESSAGES[root->message], DICTIONARY);
  size_t edit_count = root->tree->edit_count;
  Texts texts = {0};
  Place dictionary;
  int failed = place_single(root, field, &dictionary) || read_texts(&dictionary, &texts) ||
               inline_fields(&dictionary, ATTRIBUTE_TABLE, inline_entry, &texts) ||
               walk_all(root, level_named("everywhere", root), inline_attributes, &texts);
  free(texts.texts);
  root->tree->edit_count = edit_count;
  return failed ? -1 : 0;
}
