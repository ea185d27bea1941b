/* Changing attributes of a whole batch at once. */
#ifndef OTELWASM_OPERATIONS_H
#define OTELWASM_OPERATIONS_H

#include "value.h"
#include "walk.h"

enum Mode { MODE_UPSERT, MODE_INSERT, MODE_UPDATE };

typedef struct Operation Operation;

/* Does it to one message: how many attributes it changed, or -1 with an exception. */
typedef int (*Apply)(Operation *operation, Place *place);

struct Operation {
  Apply apply;
  const Range *keys; /* the attributes concerned */
  size_t key_count;
  enum Mode mode;    /* set: what to do where the attribute is, or is not */
  Range value;       /* set: the encoded AnyValue; rename: the new key */
  Range pairs[32];   /* set: the encoded KeyValue by the number of its field, once needed */
  Range salt;        /* hash */
  PyObject *function; /* hash: makes bytes of lists and dicts; map: the new value from the old */
  Buffer any;         /* hash, map: the new AnyValue; freed by whoever began the operation */
  Py_ssize_t changed; /* so far, by all messages */
};

/* Applies it to every message of a level; the sum, or -1 with an exception. */
Py_ssize_t operation_run(Operation *operation, Place *root, const Level *level);

int apply_set(Operation *operation, Place *place);
int apply_delete(Operation *operation, Place *place);
int apply_rename(Operation *operation, Place *place);
int apply_hash(Operation *operation, Place *place);
int apply_map(Operation *operation, Place *place);

/* The next attribute of a message with one of the keys; its KeyValue's content. As cursor_next. */
typedef struct {
  WireField field;
  Range pair;
  int is_plain; /* a key and a value, nothing else */
} Attribute;
int next_attribute(Cursor *cursor, const Range *keys, size_t key_count, Attribute *attribute);

/* Puts what buffer holds, a whole KeyValue field, in the attribute's place. */
int change_attribute(Cursor *cursor, const Attribute *attribute, Buffer *buffer);

#endif
