/* Attributes: those of one message as a mapping, read and changed in place.
 *
 * Reading gives Python values, writing takes them; lists and dicts are copies. OTLP's keys are
 * unique: where a sender repeats one anyway, reading gives the first value, and setting or
 * deleting leaves no other behind.
 */
#include "operations.h"
#include "pool.h"
#include "text.h"
#include "view.h"

typedef struct {
  PyObject_HEAD
  PyObject *view;
} Attributes;

static PyTypeObject *attributes_type;
static Pool pool;

PyObject *attributes_new(PyObject *view) {
  Attributes *attributes = (Attributes *)pool_new(&pool, attributes_type, sizeof(Attributes));
  if (attributes) attributes->view = Py_NewRef(view);
  return (PyObject *)attributes;
}

static void attributes_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  Py_DECREF(((Attributes *)self)->view);
  pool_free(&pool, self);
  Py_DECREF(type);
}

static Place *place_of(PyObject *self) {
  return &((Holder *)((Attributes *)self)->view)->place;
}

static int key_of(PyObject *object, Range *key) {
  if (PyUnicode_Check(object)) return text_range(object, key);
  PyErr_Format(PyExc_TypeError, "an attribute's key is a str, not %R", object);
  return -1;
}

/* A cursor to look for a key with. Who sets an attribute has often just read it: then the search
 * begins where that one ended. */
static Cursor cursor_for(PyObject *self, Range key) {
  const View *view = (View *)((Attributes *)self)->view;
  Place *place = place_of(self);
  Cursor cursor = cursor_at(place);
  WireField field;
  Range found;
  if (view->found && view->found_edits == place->tree->edit_count &&
      read_field(view->found, place->end, &field) &&
      pair_key((Range){field.data, field.end}, &found) >= 0 && range_equals(found, key)) {
    cursor.p = view->found;
  }
  return cursor;
}

/* 1 with the value, a new reference; 0 where there is no such attribute; -1 with an exception. */
static int find_value(PyObject *self, PyObject *name, PyObject **value) {
  Range key;
  Attribute found;
  if (key_of(name, &key)) return -1;
  Cursor cursor = cursor_for(self, key);
  int got = next_attribute(&cursor, &key, 1, &found);
  if (got <= 0) return got;
  View *view = (View *)((Attributes *)self)->view;
  view->found = cursor.change ? NULL : found.field.start;
  view->found_edits = view->holder.place.tree->edit_count;
  *value = decode_pair_value(found.pair);
  return *value ? 1 : -1;
}

static PyObject *subscript(PyObject *self, PyObject *name) {
  PyObject *value;
  int got = find_value(self, name, &value);
  if (got > 0) return value;
  if (!got) PyErr_SetObject(PyExc_KeyError, name);
  return NULL;
}

static int contains(PyObject *self, PyObject *name) {
  Range key;
  Attribute found;
  if (!PyUnicode_Check(name)) return 0;
  if (text_range(name, &key)) return -1;
  Cursor cursor = cursor_at(place_of(self));
  return next_attribute(&cursor, &key, 1, &found);
}

static int delete_key(Place *place, Range key) {
  Operation operation = {.keys = &key, .key_count = 1};
  return apply_delete(&operation, place);
}

static int append_pair(Place *place, Range key, PyObject *value) {
  uint32_t number = MESSAGES[place->message].attributes;
  Buffer *buffer = tree_scratch(place->tree);
  if (encode_pair(buffer, number, key, value)) return -1;
  size_t size = buffer->size;
  const uint8_t *copy = arena_copy(&place->tree->arena, buffer->bytes, size);
  return copy ? change_append(place, number, copy, size) : -1;
}

static int assign(PyObject *self, PyObject *name, PyObject *value) {
  Range key;
  Place *place = place_of(self);
  if (key_of(name, &key)) return -1;
  if (!value) {
    int count = delete_key(place, key);
    if (!count) PyErr_SetObject(PyExc_KeyError, name);
    return count > 0 ? 0 : -1;
  }
  uint32_t number = MESSAGES[place->message].attributes;
  Buffer *buffer = tree_scratch(place->tree);
  Cursor cursor = cursor_for(self, key);
  Attribute found;
  int got, count = 0, failed = 0;
  while (!failed && (got = next_attribute(&cursor, &key, 1, &found)) > 0) {
    if (count++) {
      failed = change_field(&cursor, &found.field, NULL, 0);
    } else if (found.is_plain) {
      failed = encode_pair(buffer, number, key, value) ||
               change_attribute(&cursor, &found, buffer);
    } else {
      Buffer any = {0};
      failed = encode_any(&any, value, 0) ||
               encode_pair_with_value(buffer, number, found.pair,
                                      (Range){any.bytes, any.bytes + any.size}) ||
               change_attribute(&cursor, &found, buffer);
      buffer_free(&any);
    }
  }
  if (failed || got < 0) return -1;
  return count ? 0 : append_pair(place, key, value);
}

/* A dict of all attributes as they are now. */
static PyObject *snapshot(PyObject *self) {
  Place *place = place_of(self);
  uint32_t number = MESSAGES[place->message].attributes;
  Cursor cursor = cursor_at(place);
  WireField field;
  PyObject *dict = PyDict_New();
  int got = 0, failed = !dict;
  while (!failed && (got = cursor_next(&cursor, &field)) > 0) {
    if (field.number != number || field.wire != WIRE_BYTES) continue;
    Range key, pair = {field.data, field.end};
    if (pair_key(pair, &key) < 0) {
      tree_malformed(place->tree);
      failed = 1;
      break;
    }
    PyObject *name = text_decode(key.data, key.end);
    int is_known = name ? PyDict_Contains(dict, name) : -1;
    PyObject *value = is_known ? NULL : decode_pair_value(pair);
    failed = is_known < 0 || (!is_known && (!value || PyDict_SetItem(dict, name, value)));
    Py_XDECREF(name);
    Py_XDECREF(value);
  }
  if (got < 0 || failed) Py_CLEAR(dict);
  return dict;
}

/* What a dict's method of that name gives for all attributes. */
static PyObject *as_dict(PyObject *self, const char *method) {
  PyObject *dict = snapshot(self);
  PyObject *result = dict ? PyObject_CallMethod(dict, method, NULL) : NULL;
  Py_XDECREF(dict);
  return result;
}

static PyObject *keys(PyObject *self, PyObject *unused) {
  (void)unused;
  return as_dict(self, "keys");
}

static PyObject *values(PyObject *self, PyObject *unused) {
  (void)unused;
  return as_dict(self, "values");
}

static PyObject *items(PyObject *self, PyObject *unused) {
  (void)unused;
  return as_dict(self, "items");
}

static PyObject *iter(PyObject *self) {
  return as_dict(self, "__iter__");
}

static PyObject *repr(PyObject *self) {
  return as_dict(self, "__repr__");
}

static Py_ssize_t length(PyObject *self) {
  PyObject *dict = snapshot(self);
  Py_ssize_t size = dict ? PyDict_Size(dict) : -1;
  Py_XDECREF(dict);
  return size;
}

static PyObject *compare(PyObject *self, PyObject *other, int operation) {
  PyObject *mine = snapshot(self);
  PyObject *theirs = Py_TYPE(other) == attributes_type ? snapshot(other) : Py_NewRef(other);
  PyObject *result = mine && theirs ? PyObject_RichCompare(mine, theirs, operation) : NULL;
  Py_XDECREF(mine);
  Py_XDECREF(theirs);
  return result;
}

/* These take one or two arguments by position, as the functions below say. */
static int has_arguments(const char *method, Py_ssize_t count, Py_ssize_t least, Py_ssize_t most) {
  if (count >= least && count <= most) return 1;
  PyErr_Format(PyExc_TypeError, "%s() takes %zd to %zd arguments, not %zd", method, least, most,
               count);
  return 0;
}

static PyObject *get(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
  PyObject *value;
  if (!has_arguments("get", count, 1, 2)) return NULL;
  int got = find_value(self, arguments[0], &value);
  if (got) return got > 0 ? value : NULL;
  return Py_NewRef(count == 2 ? arguments[1] : Py_None);
}

static PyObject *pop(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
  PyObject *value;
  if (!has_arguments("pop", count, 1, 2)) return NULL;
  int got = find_value(self, arguments[0], &value);
  if (got > 0 && assign(self, arguments[0], NULL)) Py_CLEAR(value);
  if (got) return got > 0 ? value : NULL;
  if (count == 2) return Py_NewRef(arguments[1]);
  PyErr_SetObject(PyExc_KeyError, arguments[0]);
  return NULL;
}

static PyObject *set_default(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
  PyObject *value;
  if (!has_arguments("setdefault", count, 1, 2)) return NULL;
  PyObject *otherwise = count == 2 ? arguments[1] : Py_None;
  int got = find_value(self, arguments[0], &value);
  if (got) return got > 0 ? value : NULL;
  return assign(self, arguments[0], otherwise) ? NULL : Py_NewRef(otherwise);
}

static PyObject *append(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
  Range key;
  if (!has_arguments("append", count, 2, 2) || key_of(arguments[0], &key) ||
      append_pair(place_of(self), key, arguments[1])) {
    return NULL;
  }
  Py_RETURN_NONE;
}

/* Sets each item of a mapping. */
static int assign_all(PyObject *self, PyObject *mapping) {
  PyObject *dict = PyDict_New(), *name, *value;
  Py_ssize_t position = 0;
  int failed = !dict || PyDict_Merge(dict, mapping, 1);
  while (!failed && PyDict_Next(dict, &position, &name, &value)) {
    failed = assign(self, name, value);
  }
  Py_XDECREF(dict);
  return failed ? -1 : 0;
}

static PyObject *update(PyObject *self, PyObject *mapping) {
  if (assign_all(self, mapping)) return NULL;
  Py_RETURN_NONE;
}

static int delete_all(Place *place) {
  uint32_t number = MESSAGES[place->message].attributes;
  Cursor cursor = cursor_at(place);
  WireField field;
  int got;
  while ((got = cursor_next(&cursor, &field)) > 0) {
    if (field.number == number && field.wire == WIRE_BYTES &&
        change_field(&cursor, &field, NULL, 0)) {
      return -1;
    }
  }
  return got;
}

static PyObject *clear(PyObject *self, PyObject *unused) {
  (void)unused;
  if (delete_all(place_of(self))) return NULL;
  Py_RETURN_NONE;
}

int attributes_replace(PyObject *view, PyObject *mapping) {
  PyObject *self = attributes_new(view);
  PyObject *dict = self ? PyDict_New() : NULL; /* a copy: *mapping* may be what is replaced */
  int failed = !dict || (mapping && PyDict_Merge(dict, mapping, 1)) ||
               delete_all(place_of(self)) || assign_all(self, dict);
  Py_XDECREF(dict);
  Py_XDECREF(self);
  return failed ? -1 : 0;
}

static PyMethodDef METHODS[] = {
    {"get", (PyCFunction)(void *)get, METH_FASTCALL, "get(key, default=None, /)\n--\n\nThe value, or *default*."},
    {"pop", (PyCFunction)(void *)pop, METH_FASTCALL, "pop(key, default=..., /)\n--\n\nDelete; give the value."},
    {"setdefault", (PyCFunction)(void *)set_default, METH_FASTCALL,
     "setdefault(key, default=None, /)\n--\n\nThe value, set to *default* where there is none."},
    {"append", (PyCFunction)(void *)append, METH_FASTCALL,
     "append(key, value, /)\n--\n\nAdd one that is known not to be there, without looking."},
    {"update", update, METH_O, "update(mapping, /)\n--\n\nSet every item of *mapping*."},
    {"clear", clear, METH_NOARGS, "clear()\n--\n\nDelete all."},
    {"keys", keys, METH_NOARGS, "keys()\n--\n\nAll keys as they are now."},
    {"values", values, METH_NOARGS, "values()\n--\n\nAll values as they are now."},
    {"items", items, METH_NOARGS, "items()\n--\n\nAll keys and values as they are now."},
    {NULL, NULL, 0, NULL},
};

int attributes_type_add(PyObject *module) {
  PyType_Slot slots[] = {
      {Py_tp_dealloc, (void *)attributes_dealloc},
      {Py_tp_methods, METHODS},
      {Py_tp_iter, (void *)iter},
      {Py_tp_repr, (void *)repr},
      {Py_tp_richcompare, (void *)compare},
      {Py_tp_hash, (void *)PyObject_HashNotImplemented},
      {Py_mp_subscript, (void *)subscript},
      {Py_mp_ass_subscript, (void *)assign},
      {Py_mp_length, (void *)length},
      {Py_sq_contains, (void *)contains},
      {Py_tp_doc, "The attributes of one message, read and changed in place."},
      {0, NULL},
  };
  PyType_Spec spec = {
      .name = "otelwasm_native.Attributes",
      .basicsize = sizeof(Attributes),
      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
      .slots = slots,
  };
  attributes_type = (PyTypeObject *)PyType_FromSpec(&spec);
  if (!attributes_type) return -1;
  return PyModule_AddObject(module, "Attributes", Py_NewRef(attributes_type));
}
