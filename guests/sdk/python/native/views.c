/* Views: what is in a batch or in a message, gone through one by one. */
#include "message.h"
#include "operations.h"
#include "view.h"

/* All messages of a level in a holder, or all in one field of it. */
typedef struct {
  PyObject_HEAD
  PyObject *holder;
  const Level *level;
  uint32_t number;
  PyObject *having; /* only those with this attribute; NULL for all */
} Views;

typedef struct {
  PyObject_HEAD
  Walk walk;
  PyObject *within[WALK_DEPTH]; /* the holders of the places that the walk is in */
  PyObject *having;
} ViewsIterator;

static PyTypeObject *views_type;
static PyTypeObject *iterator_type;

PyObject *views_new(PyObject *holder, const Level *level, uint32_t number, PyObject *having) {
  Views *views = (Views *)PyType_GenericAlloc(views_type, 0);
  if (!views) return NULL;
  views->holder = Py_NewRef(holder);
  views->level = level;
  views->number = number;
  Py_XINCREF(having);
  views->having = having;
  return (PyObject *)views;
}

static void free_object(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(type);
}

static void views_dealloc(PyObject *self) {
  Py_CLEAR(((Views *)self)->holder);
  Py_CLEAR(((Views *)self)->having);
  free_object(self);
}

static PyObject *views_iter(PyObject *self) {
  const Views *views = (Views *)self;
  ViewsIterator *iterator = (ViewsIterator *)PyType_GenericAlloc(iterator_type, 0);
  if (!iterator) return NULL;
  iterator->walk.level = views->level;
  iterator->walk.number = views->number;
  iterator->within[0] = Py_NewRef(views->holder);
  Py_XINCREF(views->having);
  iterator->having = views->having;
  walk_into(&iterator->walk, &((Holder *)views->holder)->place);
  return (PyObject *)iterator;
}

static void iterator_dealloc(PyObject *self) {
  ViewsIterator *iterator = (ViewsIterator *)self;
  for (int i = 0; i < WALK_DEPTH; i++) Py_CLEAR(iterator->within[i]);
  Py_CLEAR(iterator->having);
  free_object(self);
}

/* 1 where the message has the attribute, or none is asked for; -1 with an exception. */
static int place_has(Place *place, PyObject *having) {
  Range key;
  Attribute found;
  if (!having) return 1;
  if (text_range(having, &key)) return -1;
  Cursor cursor = cursor_at(place);
  return next_attribute(&cursor, &key, 1, &found);
}

static PyObject *iterator_next(PyObject *self) {
  ViewsIterator *iterator = (ViewsIterator *)self;
  Walk *walk = &iterator->walk;
  Place place;
  while (walk_next(walk, &place) > 0) {
    PyObject *keeper = iterator->within[walk->depth - 1];
    int is_wanted = walk_has(walk, &place) ? place_has(&place, iterator->having) : 0;
    int descends = walk_descends(walk, &place);
    if (is_wanted < 0) return NULL;
    if (!is_wanted && !descends) continue;
    PyObject *view = view_new(&place, keeper);
    if (!view) return NULL;
    if (descends) {
      PyObject **within = &iterator->within[walk->depth];
      Py_XDECREF(*within);
      *within = Py_NewRef(view);
      walk_into(walk, &((Holder *)view)->place);
    }
    if (is_wanted) return view;
    Py_DECREF(view);
  }
  return NULL;
}

static Py_ssize_t views_length(PyObject *self) {
  const Views *views = (Views *)self;
  Walk walk = {.level = views->level, .number = views->number};
  Place places[WALK_DEPTH], place;
  Py_ssize_t count = 0;
  int got;
  walk_into(&walk, &((Holder *)views->holder)->place);
  while ((got = walk_next(&walk, &place)) > 0) {
    int is_wanted = walk_has(&walk, &place) ? place_has(&place, views->having) : 0;
    if (is_wanted < 0) return -1;
    count += is_wanted;
    if (walk_descends(&walk, &place)) {
      Place *kept = &places[walk.depth];
      *kept = place;
      walk_into(&walk, kept);
    }
  }
  return got < 0 ? -1 : count;
}

static PyObject *views_item(PyObject *self, Py_ssize_t index) {
  PyObject *iterator = index < 0 ? NULL : views_iter(self);
  PyObject *view = NULL;
  if (index >= 0 && !iterator) return NULL;
  for (Py_ssize_t i = 0; iterator && i <= index; i++) {
    Py_XDECREF(view);
    view = iterator_next(iterator);
    if (!view) break;
  }
  Py_XDECREF(iterator);
  if (!view && !PyErr_Occurred()) PyErr_SetString(PyExc_IndexError, "no such message");
  return view;
}

static PyObject *views_append(PyObject *self, PyObject *dict) {
  const Views *views = (Views *)self;
  Place *place = &((Holder *)views->holder)->place;
  if (views->level) {
    return PyErr_Format(PyExc_TypeError,
                        "all %s of a batch have no one place to append to; those of one message"
                        " have, as span.events, and Traces.of(...) makes a new batch",
                        views->level->name);
  }
  const Field *field = field_of(&MESSAGES[place->message], views->number);
  Buffer buffer = {0};
  int failed = encode_message(&buffer, &MESSAGES[field->message], dict);
  const uint8_t *copy = failed ? NULL
                               : arena_copy(&place->tree->arena, buffer.bytes, buffer.size);
  failed = !copy || change_append_message(place, field->number, copy, buffer.size);
  buffer_free(&buffer);
  if (failed) return NULL;
  Py_RETURN_NONE;
}

static PyMethodDef VIEWS_METHODS[] = {
    {"append", views_append, METH_O,
     "append(fields, /)\n--\n\nAdd a message that is made of a dict of its fields."},
    {NULL, NULL, 0, NULL},
};

static PyObject *views_repr(PyObject *self) {
  const Views *views = (Views *)self;
  const Place *place = &((Holder *)views->holder)->place;
  const Message *message = &MESSAGES[place->message];
  const char *what = views->level ? views->level->name : field_of(message, views->number)->name;
  return PyUnicode_FromFormat("<%s of %R>", what, views->holder);
}

PyObject *holder_each(PyObject *holder, PyObject *arguments, PyObject *keywords) {
  static char *names[] = {"on", "having", NULL};
  const char *on = "items";
  PyObject *having = Py_None;
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|sO:each", names, &on, &having)) {
    return NULL;
  }
  if (having != Py_None && !PyUnicode_Check(having)) {
    return PyErr_Format(PyExc_TypeError, "having names an attribute by a str, not %R", having);
  }
  const Level *level = level_named(on, &((Holder *)holder)->place);
  return level ? views_new(holder, level, 0, having == Py_None ? NULL : having) : NULL;
}

int views_types_add(PyObject *module) {
  PyType_Slot slots[] = {
      {Py_tp_dealloc, (void *)views_dealloc},
      {Py_tp_iter, (void *)views_iter},
      {Py_tp_repr, (void *)views_repr},
      {Py_tp_methods, VIEWS_METHODS},
      {Py_sq_length, (void *)views_length},
      {Py_sq_item, (void *)views_item},
      {Py_tp_doc, "What is in a batch or a message, in the order of the wire."},
      {0, NULL},
  };
  PyType_Spec spec = {
      .name = "otelwasm_native.Views",
      .basicsize = sizeof(Views),
      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
      .slots = slots,
  };
  PyType_Slot iterator_slots[] = {
      {Py_tp_dealloc, (void *)iterator_dealloc},
      {Py_tp_iter, (void *)PyObject_SelfIter},
      {Py_tp_iternext, (void *)iterator_next},
      {0, NULL},
  };
  PyType_Spec iterator_spec = {
      .name = "otelwasm_native.ViewsIterator",
      .basicsize = sizeof(ViewsIterator),
      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
      .slots = iterator_slots,
  };
  views_type = (PyTypeObject *)PyType_FromSpec(&spec);
  iterator_type = (PyTypeObject *)PyType_FromSpec(&iterator_spec);
  if (!views_type || !iterator_type) return -1;
  return PyModule_AddObject(module, "Views", Py_NewRef(views_type));
}
