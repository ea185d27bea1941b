/* Taking a batch apart by a key for each of its items.
 *
 * One walk notes each item's bytes, and of each message on the way its shell: all its fields but
 * those that lead to items, so the resource, the scope, a metric's name, whatever is unknown. A
 * part is then written in one go: its items in order, each behind the shells that it needs and
 * that are not open already.
 *
 *     items    a1 a2 │ b1 a3         parts    a: shells a1 a2 │ shells a3
 *              resource│resource               b: shells b1
 */
#include "split.h"

#include "value.h"

typedef struct Shell Shell;
struct Shell {
  const Shell *around; /* NULL for the request itself */
  Range fields;
  uint32_t number; /* of the message in what is around it */
};

typedef struct Item Item;
struct Item {
  const Shell *around;
  Range field;
  Item *next; /* of the same part */
};

typedef struct {
  Item *first;
  Item **end;
} Part;

typedef struct {
  Tree *tree;
  const Level *level;
  PyObject *keys;
  Py_ssize_t key_count;
  Py_ssize_t item_count;
  PyObject *numbers; /* of the parts, by key */
  Part *parts;       /* as many as there are keys at most */
  Shell *open[WALK_DEPTH];
} Split;

/* A field as changed, behind what the buffer holds. */
static int put_field(Buffer *buffer, const Cursor *cursor, const WireField *wire) {
  if (cursor->change) {
    const Change *change = &cursor->place->node->changes[cursor->change - 1];
    if (change->child) return node_put(cursor->place->tree, change->child, change->number, buffer);
  }
  return buffer_put(buffer, wire->start, (size_t)(wire->end - wire->start));
}

static int keep_bytes(Tree *tree, const Buffer *buffer, Range *range) {
  const uint8_t *copy = arena_copy(&tree->arena, buffer->bytes, buffer->size);
  *range = (Range){copy, copy + buffer->size};
  return copy ? 0 : -1;
}

static Shell *new_shell(const Split *split, Place *place, const Shell *around) {
  uint32_t way = split->level->descend[place->message];
  Buffer *buffer = tree_scratch(split->tree);
  Shell *shell = arena_take(&split->tree->arena, sizeof(Shell));
  Cursor cursor = cursor_at(place);
  WireField wire;
  int got = shell ? 0 : -1;
  while (shell && (got = cursor_next(&cursor, &wire)) > 0) {
    int is_way = wire.wire == WIRE_BYTES && wire.number < 32 && (way >> wire.number & 1);
    if (!is_way && put_field(buffer, &cursor, &wire)) return NULL;
  }
  if (got < 0) return NULL;
  *shell = (Shell){.around = around, .number = place->number};
  return keep_bytes(split->tree, buffer, &shell->fields) ? NULL : shell;
}

static Part *add_part(Split *split, PyObject *key) {
  Py_ssize_t count = PyDict_Size(split->numbers);
  PyObject *number = PyLong_FromSsize_t(count);
  int failed = !number || PyDict_SetItem(split->numbers, key, number);
  Py_XDECREF(number);
  if (failed) return NULL;
  split->parts[count].end = &split->parts[count].first;
  return &split->parts[count];
}

/* The part of the next item; NULL with an exception. */
static Part *next_part(Split *split) {
  if (split->item_count >= split->key_count) {
    PyErr_SetString(PyExc_ValueError, "fewer keys than items");
    return NULL;
  }
  PyObject *key = PyList_GetItem(split->keys, split->item_count++);
  if (!key) return NULL;
  Py_INCREF(key); /* its hash may be a function that empties the list */
  Part *part = NULL;
  PyObject *known = PyDict_GetItemWithError(split->numbers, key);
  if (known) {
    part = &split->parts[PyLong_AsSize_t(known)];
  } else if (!PyErr_Occurred()) {
    part = add_part(split, key);
  }
  Py_DECREF(key);
  return part;
}

static int add_item(Split *split, Place *place, const Shell *around) {
  Part *part = next_part(split);
  Item *item = part ? arena_take(&split->tree->arena, sizeof(Item)) : NULL;
  if (!item) return -1;
  *item = (Item){.around = around, .field = {place->at, place->end}};
  Node *node = place_find_node(place);
  if (node) {
    Buffer *buffer = tree_scratch(split->tree);
    if (node_put(split->tree, node, place->number, buffer) ||
        keep_bytes(split->tree, buffer, &item->field)) {
      return -1;
    }
  }
  *part->end = item;
  part->end = &item->next;
  return 0;
}

static int note_all(Split *split, Place *root) {
  Walk walk = {.level = split->level};
  Place places[WALK_DEPTH], place;
  int got;
  split->open[0] = new_shell(split, root, NULL);
  if (!split->open[0]) return -1;
  walk_into(&walk, root);
  while ((got = walk_next(&walk, &place)) > 0) {
    const Shell *around = split->open[walk.depth - 1];
    if (walk_has(&walk, &place)) {
      if (add_item(split, &place, around)) return -1;
    } else if (walk_descends(&walk, &place)) {
      Place *kept = &places[walk.depth];
      *kept = place;
      split->open[walk.depth] = new_shell(split, kept, around);
      if (!split->open[walk.depth]) return -1;
      walk_into(&walk, kept);
    }
  }
  if (!got && split->item_count < split->key_count) {
    PyErr_SetString(PyExc_ValueError, "more keys than items");
    return -1;
  }
  return got;
}

/* ---- writing a part --------------------------------------------------------------------- */

typedef struct {
  Buffer buffer;
  int depth;
  const Shell *open[WALK_DEPTH];
  size_t marks[WALK_DEPTH];
} Writer;

static int close_to(Writer *writer, int depth) {
  while (writer->depth > depth) {
    if (buffer_end(&writer->buffer, writer->marks[--writer->depth])) return -1;
  }
  return 0;
}

static int open_for(Writer *writer, const Shell *shell) {
  const Shell *way[WALK_DEPTH];
  int depth = 0, common = 0;
  for (; shell->around; shell = shell->around) way[depth++] = shell; /* innermost first */
  while (common < depth && common < writer->depth &&
         writer->open[common] == way[depth - 1 - common]) {
    common++;
  }
  if (close_to(writer, common)) return -1;
  for (; common < depth; common++) {
    const Shell *next = way[depth - 1 - common];
    writer->open[common] = next;
    if (buffer_begin(&writer->buffer, next->number, &writer->marks[common]) ||
        buffer_put(&writer->buffer, next->fields.data, range_size(next->fields))) {
      return -1;
    }
    writer->depth++;
  }
  return 0;
}

static PyObject *write_part(Writer *writer, const Part *part, Range request) {
  writer->buffer.size = 0;
  writer->depth = 0;
  if (buffer_put(&writer->buffer, request.data, range_size(request))) return NULL;
  for (const Item *item = part->first; item; item = item->next) {
    if (open_for(writer, item->around) ||
        buffer_put(&writer->buffer, item->field.data, range_size(item->field))) {
      return NULL;
    }
  }
  if (close_to(writer, 0)) return NULL;
  return PyBytes_FromStringAndSize((const char *)writer->buffer.bytes,
                                   (Py_ssize_t)writer->buffer.size);
}

static PyObject *write_all(const Split *split) {
  Writer writer = {.depth = 0};
  PyObject *key, *number, *result = PyDict_New();
  Py_ssize_t position = 0;
  while (result && PyDict_Next(split->numbers, &position, &key, &number)) {
    const Part *part = &split->parts[PyLong_AsSize_t(number)];
    PyObject *payload = write_part(&writer, part, split->open[0]->fields);
    if (!payload || PyDict_SetItem(result, key, payload)) Py_CLEAR(result);
    Py_XDECREF(payload);
  }
  buffer_free(&writer.buffer);
  return result;
}

PyObject *split_by(Place *root, const Level *level, PyObject *keys) {
  if (!PyList_Check(keys)) return PyErr_Format(PyExc_TypeError, "keys are a list, not %R", keys);
  Split split = {
      .tree = root->tree,
      .level = level,
      .keys = keys,
      .key_count = PyList_Size(keys),
      .numbers = PyDict_New(),
  };
  split.parts = calloc((size_t)split.key_count + 1, sizeof(Part));
  if (!split.parts) PyErr_NoMemory();
  PyObject *result = split.numbers && split.parts && !note_all(&split, root) ? write_all(&split)
                                                                            : NULL;
  free(split.parts);
  Py_XDECREF(split.numbers);
  return result;
}
