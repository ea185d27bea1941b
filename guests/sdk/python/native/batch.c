/* Batch: one OTLP request, gone through and changed without decoding it.
 *
 *     payload ── walk.c ──► the messages of a level      spans, scopes, data points…
 *                               │  operations.c, condition.c: one pass over each message
 *                               │  views.c, view.c, attributes.c: one by one, as Python asks
 *                               ▼
 *                           changes pending in nodes     tree.h has the picture
 *                               │  render.c: measure, then copy and splice
 *                               ▼
 *                           bytes(batch)
 */
#include "condition.h"
#include "inline.h"
#include "message.h"
#include "operations.h"
#include "split.h"
#include "view.h"

static Place *place_of(PyObject *self) {
  return &((Holder *)self)->place;
}

static PyObject *batch_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
  static char *names[] = {"payload", "signal", NULL};
  PyObject *payload;
  int signal;
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "Si:Batch", names, &payload, &signal)) {
    return NULL;
  }
  if (signal < 0 || signal >= SIGNAL_COUNT) {
    return PyErr_Format(PyExc_ValueError, "a signal is 0 to %d, not %d", SIGNAL_COUNT - 1, signal);
  }
  Batch *batch = (Batch *)PyType_GenericAlloc(type, 0);
  if (!batch) return NULL;
  const uint8_t *bytes = (const uint8_t *)PyBytes_AsString(payload);
  batch->payload = Py_NewRef(payload);
  batch->signal = signal;
  tree_start(&batch->tree, bytes, (size_t)PyBytes_Size(payload), ROOTS[signal]);
  batch->holder.place = tree_place(&batch->tree);
  return (PyObject *)batch;
}

static void batch_dealloc(PyObject *self) {
  Batch *batch = (Batch *)self;
  PyTypeObject *type = Py_TYPE(self);
  freefunc free_object = (freefunc)PyType_GetSlot(type, Py_tp_free);
  tree_free(&batch->tree);
  Py_CLEAR(batch->payload);
  Py_CLEAR(batch->rendered);
  free_object(self);
  Py_DECREF(type);
}

static PyObject *batch_bytes(PyObject *self, PyObject *unused) {
  (void)unused;
  Batch *batch = (Batch *)self;
  Tree *tree = &batch->tree;
  if (!tree->edit_count) return Py_NewRef(batch->payload);
  if (!batch->rendered || batch->rendered_changes != tree->edit_count) {
    PyObject *rendered = node_render(tree, &tree->root);
    if (!rendered) return NULL;
    Py_XDECREF(batch->rendered);
    batch->rendered = rendered;
    batch->rendered_changes = tree->edit_count;
  }
  return Py_NewRef(batch->rendered);
}

static PyObject *get_signal(PyObject *self, void *unused) {
  (void)unused;
  return PyLong_FromLong(((Batch *)self)->signal);
}

static PyObject *get_is_changed(PyObject *self, void *unused) {
  (void)unused;
  return PyBool_FromLong(((Batch *)self)->tree.edit_count != 0);
}

/* ---- operations ------------------------------------------------------------------------- */

/* The texts of a str or of a tuple of them, good as long as it is; freed by the caller. NULL with
 * an exception. */
static Range *read_keys(PyObject *object, size_t *count) {
  int is_one = PyUnicode_Check(object);
  if (!is_one && !PyTuple_Check(object)) {
    return (void *)PyErr_Format(PyExc_TypeError, "keys are a str or a tuple of str, not %R",
                                object);
  }
  Py_ssize_t size = is_one ? 1 : PyTuple_Size(object);
  Range *keys = calloc((size_t)size + 1, sizeof *keys);
  if (!keys) return (void *)PyErr_NoMemory();
  for (Py_ssize_t i = 0; i < size; i++) {
    PyObject *key = is_one ? object : PyTuple_GetItem(object, i);
    if (!PyUnicode_Check(key)) {
      PyErr_Format(PyExc_TypeError, "an attribute's key is a str, not %R", key);
    }
    if (PyErr_Occurred() || text_range(key, &keys[i])) {
      free(keys);
      return NULL;
    }
  }
  *count = (size_t)size;
  return keys;
}

/* The level, where its messages have attributes: a profile's are in the request's dictionary. */
static const Level *level_with_attributes(const char *on, const Place *root) {
  const Level *level = level_named(on, root);
  for (int i = 0; level && i < MESSAGE_COUNT; i++) {
    if ((level->targets >> i & 1) && !MESSAGES[i].attributes) {
      PyErr_Format(PyExc_ValueError, "%s have no attributes of their own", level->name);
      return NULL;
    }
  }
  return level;
}

static PyObject *run(PyObject *self, Operation *operation, PyObject *keys, const char *on) {
  Place *root = place_of(self);
  const Level *level = level_with_attributes(on, root);
  Range *ranges = level ? read_keys(keys, &operation->key_count) : NULL;
  if (!ranges) return NULL;
  operation->keys = ranges;
  Py_ssize_t changed = operation_run(operation, root, level);
  buffer_free(&operation->any);
  free(ranges);
  return changed < 0 ? NULL : PyLong_FromSsize_t(changed);
}

static int mode_named(const char *name, enum Mode *mode) {
  static const char *const names[] = {"upsert", "insert", "update"};
  for (int i = 0; i < 3; i++) {
    if (!strcmp(name, names[i])) {
      *mode = (enum Mode)i;
      return 0;
    }
  }
  PyErr_Format(PyExc_ValueError, "mode is upsert, insert or update, not '%s'", name);
  return -1;
}

static PyObject *set_attribute(PyObject *self, PyObject *arguments, PyObject *keywords) {
  static char *names[] = {"key", "value", "mode", "on", NULL};
  PyObject *key, *value;
  const char *mode = "upsert", *on = "items";
  Operation operation = {.apply = apply_set};
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "UO|ss:set_attribute", names, &key, &value,
                                   &mode, &on) ||
      mode_named(mode, &operation.mode)) {
    return NULL;
  }
  Buffer any = {0};
  PyObject *changed = NULL;
  if (!encode_any(&any, value, 0)) {
    operation.value = (Range){any.bytes, any.bytes + any.size};
    changed = run(self, &operation, key, on);
  }
  buffer_free(&any);
  return changed;
}

static PyObject *delete_attribute(PyObject *self, PyObject *arguments, PyObject *keywords) {
  static char *names[] = {"keys", "on", NULL};
  PyObject *keys;
  const char *on = "items";
  Operation operation = {.apply = apply_delete};
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|s:delete_attribute", names, &keys,
                                   &on)) {
    return NULL;
  }
  return run(self, &operation, keys, on);
}

static PyObject *rename_attribute(PyObject *self, PyObject *arguments, PyObject *keywords) {
  static char *names[] = {"old", "new", "on", NULL};
  PyObject *old, *new;
  const char *on = "items";
  Operation operation = {.apply = apply_rename};
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "UU|s:rename_attribute", names, &old, &new,
                                   &on) ||
      text_range(new, &operation.value)) {
    return NULL;
  }
  return run(self, &operation, old, on);
}

static PyObject *hash_attribute(PyObject *self, PyObject *arguments, PyObject *keywords) {
  static char *names[] = {"keys", "salt", "encode", "on", NULL};
  PyObject *keys, *salt = NULL, *encode = Py_None;
  const char *on = "items";
  Operation operation = {.apply = apply_hash};
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|SOs:hash_attribute", names, &keys,
                                   &salt, &encode, &on)) {
    return NULL;
  }
  if (salt) {
    operation.salt.data = (const uint8_t *)PyBytes_AsString(salt);
    operation.salt.end = operation.salt.data + PyBytes_Size(salt);
  }
  operation.function = encode;
  return run(self, &operation, keys, on);
}

static PyObject *map_attribute(PyObject *self, PyObject *arguments, PyObject *keywords) {
  static char *names[] = {"keys", "function", "on", NULL};
  PyObject *keys, *function;
  const char *on = "items";
  Operation operation = {.apply = apply_map};
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO|s:map_attribute", names, &keys,
                                   &function, &on)) {
    return NULL;
  }
  operation.function = function;
  return run(self, &operation, keys, on);
}

static PyObject *filter(PyObject *self, PyObject *arguments, PyObject *keywords, int drops) {
  static char *names[] = {"conditions", "on", NULL};
  PyObject *conditions;
  const char *on = "items";
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|s", names, &conditions, &on)) {
    return NULL;
  }
  const Level *level = level_named(on, place_of(self));
  Py_ssize_t dropped = level ? drop_where(place_of(self), level, conditions, drops) : -1;
  return dropped < 0 ? NULL : PyLong_FromSsize_t(dropped);
}

static PyObject *drop(PyObject *self, PyObject *arguments, PyObject *keywords) {
  return filter(self, arguments, keywords, 1);
}

static PyObject *keep(PyObject *self, PyObject *arguments, PyObject *keywords) {
  return filter(self, arguments, keywords, 0);
}

static PyObject *values(PyObject *self, PyObject *arguments, PyObject *keywords) {
  static char *names[] = {"name", "on", NULL};
  PyObject *name;
  const char *on = "items";
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|s:values", names, &name, &on)) {
    return NULL;
  }
  const Level *level = level_named(on, place_of(self));
  return level ? values_of(place_of(self), level, name) : NULL;
}

static PyObject *split(PyObject *self, PyObject *keys) {
  const Level *level = level_named("items", place_of(self));
  return level ? split_by(place_of(self), level, keys) : NULL;
}

static PyObject *inline_strings(PyObject *self, PyObject *unused) {
  (void)unused;
  const Batch *batch = (Batch *)self;
  if (ROOTS[batch->signal] != ROOTS[SIGNAL_COUNT - 1]) {
    PyErr_SetString(PyExc_TypeError, "profiles alone have a table of strings");
    return NULL;
  }
  if (inline_texts(place_of(self))) return NULL;
  Py_RETURN_NONE;
}

#define WITH_KEYWORDS METH_VARARGS | METH_KEYWORDS
#define METHOD(function) (PyCFunction)(void *)function

static PyMethodDef METHODS[] = {
    {"__bytes__", batch_bytes, METH_NOARGS,
     "The payload: as it came while nothing was changed, else with all changes."},
    {"each", METHOD(holder_each), WITH_KEYWORDS,
     "each(on='items', having=None)\n--\n\nAll messages of a kind, to look into and to change."},
    {"set_attribute", METHOD(set_attribute), WITH_KEYWORDS,
     "set_attribute(key, value, mode='upsert', on='items')\n--\n\n"
     "Set it on each; with 'insert' only where it is not yet, with 'update' only where it is."},
    {"delete_attribute", METHOD(delete_attribute), WITH_KEYWORDS,
     "delete_attribute(keys, on='items')\n--\n\nDelete them; how many there were."},
    {"rename_attribute", METHOD(rename_attribute), WITH_KEYWORDS,
     "rename_attribute(old, new, on='items')\n--\n\nRename it, in place of any of the new name."},
    {"hash_attribute", METHOD(hash_attribute), WITH_KEYWORDS,
     "hash_attribute(keys, salt=b'', encode=None, on='items')\n--\n\n"
     "Put the SHA-256 of salt and value in the value's place. *encode* makes the bytes to hash\n"
     "of lists and dicts."},
    {"map_attribute", METHOD(map_attribute), WITH_KEYWORDS,
     "map_attribute(keys, function, on='items')\n--\n\nPut what *function* makes of each value."},
    {"values", METHOD(values), WITH_KEYWORDS,
     "values(name, on='items')\n--\n\nThe field or attribute of that name of each; else None."},
    {"split", split, METH_O,
     "split(keys, /)\n--\n\nA payload for each key; *keys* is a list, one for each item."},
    {"inline_strings", inline_strings, METH_NOARGS,
     "inline_strings()\n--\n\nPut texts where attributes of profiles refer to a table of them."},
    {"drop", METHOD(drop), WITH_KEYWORDS,
     "drop(conditions, on='items')\n--\n\nLeave out what meets all conditions; how many."},
    {"keep", METHOD(keep), WITH_KEYWORDS,
     "keep(conditions, on='items')\n--\n\nLeave out what does not meet all conditions; how many."},
    {NULL, NULL, 0, NULL},
};

static PyObject *get_root(PyObject *self, void *unused) {
  (void)unused;
  return view_new(place_of(self), self);
}

static PyGetSetDef FIELDS[] = {
    {"signal", get_signal, NULL, "The contract's number of its signal.", NULL},
    {"is_changed", get_is_changed, NULL, "Whether anything in it was changed.", NULL},
    {"root", get_root, NULL, "The request itself, as a view.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

int batch_type_add(PyObject *module) {
  PyType_Slot slots[] = {
      {Py_tp_new, (void *)batch_new},
      {Py_tp_dealloc, (void *)batch_dealloc},
      {Py_tp_methods, METHODS},
      {Py_tp_getset, FIELDS},
      {Py_tp_doc, "One OTLP request, gone through and changed without decoding it."},
      {0, NULL},
  };
  PyType_Spec spec = {
      .name = "otelwasm_native.Batch",
      .basicsize = sizeof(Batch),
      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
      .slots = slots,
  };
  PyObject *type = PyType_FromSpec(&spec);
  return type ? PyModule_AddObject(module, "Batch", type) : -1;
}
