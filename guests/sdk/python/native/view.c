/* View: one message of a batch, read and changed in place.
 *
 * Each type of message has a Python type of its own (Span, LogRecord, Resource…), made from the
 * schema when the module is imported: one getter and setter for every field, named as in OTLP.
 */
#include "pool.h"
#include "view.h"

enum { MOST_MESSAGES = 64 };

static PyTypeObject *base_type;
static PyTypeObject *view_types[MOST_MESSAGES]; /* by place in MESSAGES */

static Pool pool;

PyObject *view_new(const Place *place, PyObject *keeper) {
  View *view = (View *)pool_new(&pool, view_types[place->message], sizeof(View));
  if (!view) return NULL;
  view->holder.place = *place;
  view->keeper = Py_NewRef(keeper);
  view->found = NULL;
  return (PyObject *)view;
}

static void view_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  Py_DECREF(((View *)self)->keeper);
  pool_free(&pool, self);
  Py_DECREF(type);
}

static PyObject *get(PyObject *self, void *field) {
  return field_get(self, field);
}

static int set(PyObject *self, PyObject *value, void *field) {
  return field_set(self, field, value);
}

static PyObject *view_repr(PyObject *self) {
  const Place *place = &((Holder *)self)->place;
  return PyUnicode_FromFormat("<%s in %zd bytes>", MESSAGES[place->message].name,
                              (Py_ssize_t)(place->end - place->data));
}

static PyObject *view_bytes(PyObject *self, PyObject *unused) {
  (void)unused;
  return place_bytes(&((Holder *)self)->place);
}

static PyObject *view_drop(PyObject *self, PyObject *unused) {
  (void)unused;
  if (change_drop(&((Holder *)self)->place)) return NULL;
  Py_RETURN_NONE;
}

/* What a view can also be asked for: something around it. */
typedef struct {
  const char *name;    /* of a field of an enclosing message, or */
  const char *message; /* the enclosing message itself */
} Enclosing;

static const Enclosing ENCLOSING[] = {
    {"resource", NULL},
    {"scope", NULL},
    {"metric", "Metric"},
    {"span", "Span"},
};

static PyObject *get_enclosing(PyObject *self, void *closure) {
  const Enclosing *wanted = closure;
  View *view = (View *)self;
  while (view->holder.place.parent && view->holder.place.parent->parent) {
    view = (View *)view->keeper;
    const Message *message = &MESSAGES[view->holder.place.message];
    if (wanted->message && !strcmp(message->name, wanted->message)) return Py_NewRef(view);
    for (int i = 0; !wanted->message && i < message->field_count; i++) {
      const Field *field = &message->fields[i];
      if (!strcmp(field->name, wanted->name)) return field_get((PyObject *)view, field);
    }
  }
  return PyErr_Format(PyExc_AttributeError, "%s has no %s",
                      MESSAGES[((Holder *)self)->place.message].name, wanted->name);
}

static PyObject *get_batch(PyObject *self, void *unused) {
  (void)unused;
  while (((Holder *)self)->place.parent) self = ((View *)self)->keeper;
  return Py_NewRef(self);
}

static PyMethodDef VIEW_METHODS[] = {
    {"drop", view_drop, METH_NOARGS,
     "drop()\n--\n\nLeave this message, with all that is in it, out of the batch."},
    {"each", (PyCFunction)(void *)holder_each, METH_VARARGS | METH_KEYWORDS,
     "each(on='items', having=None)\n--\n\nAll messages of a kind in this one."},
    {"__bytes__", view_bytes, METH_NOARGS, "The message's own encoding."},
    {NULL, NULL, 0, NULL},
};

/* A type for a module's views; takes the reference to the bases, or NULL. */
static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec, PyObject *bases) {
  PyObject *type = PyType_FromSpecWithBases(spec, bases);
  Py_XDECREF(bases);
  if (!type || PyModule_AddObject(module, strrchr(spec->name, '.') + 1, Py_NewRef(type))) {
    return NULL;
  }
  return (PyTypeObject *)type;
}

static PyTypeObject *add_base_type(PyObject *module) {
  enum { COUNT = sizeof ENCLOSING / sizeof ENCLOSING[0] };
  static PyGetSetDef enclosing[COUNT + 2];
  for (int i = 0; i < COUNT; i++) {
    enclosing[i] = (PyGetSetDef){
        .name = ENCLOSING[i].name,
        .get = get_enclosing,
        .doc = "What encloses this message.",
        .closure = (void *)&ENCLOSING[i],
    };
  }
  enclosing[COUNT] = (PyGetSetDef){
      .name = "batch",
      .get = get_batch,
      .doc = "The batch that this message is in.",
  };
  PyType_Slot slots[] = {
      {Py_tp_dealloc, (void *)view_dealloc},
      {Py_tp_methods, VIEW_METHODS},
      {Py_tp_getset, enclosing},
      {Py_tp_repr, (void *)view_repr},
      {Py_tp_doc, "One message of a batch, read and changed in place."},
      {0, NULL},
  };
  PyType_Spec spec = {
      .name = "otelwasm_native.View",
      .basicsize = sizeof(View),
      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
      .slots = slots,
  };
  return add_type(module, &spec, NULL);
}

/* The tables of a type live as long as the module, which is for good. */
static PyTypeObject *add_message_type(PyObject *module, const Message *message,
                                      PyObject *bases) {
  enum { NAME_SIZE = 64 };
  PyGetSetDef *fields = calloc(message->field_count + 2u, sizeof *fields);
  char *name = malloc(NAME_SIZE);
  if (!fields || !name) {
    free(fields);
    free(name);
    Py_XDECREF(bases);
    PyErr_NoMemory();
    return NULL;
  }
  snprintf(name, NAME_SIZE, "otelwasm_native.%s", message->name);
  for (int i = 0; i < message->field_count; i++) {
    fields[i] = (PyGetSetDef){
        .name = message->fields[i].name,
        .get = get,
        .set = set,
        .closure = (void *)&message->fields[i],
    };
  }
  const Field *attributes = field_of(message, message->attributes);
  if (attributes) { /* whatever OTLP calls them in this message */
    PyGetSetDef *field = &fields[message->field_count];
    *field = (PyGetSetDef){"attributes", get, set, NULL, (void *)attributes};
  }
  PyType_Slot slots[] = {{Py_tp_getset, fields}, {Py_tp_dealloc, (void *)view_dealloc}, {0, NULL}};
  PyType_Spec spec = {
      .name = name,
      .basicsize = sizeof(View),
      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
      .slots = slots,
  };
  return add_type(module, &spec, bases);
}

/* Not by a class statement, which would make objects for the garbage collector: they would take
 * twice as long to come and go. */
static PyObject *extend_view(PyObject *module, PyObject *arguments) {
  const char *name;
  PyObject *class;
  if (!PyArg_ParseTuple(arguments, "sO:extend_view", &name, &class)) return NULL;
  for (int i = 0; i < MESSAGE_COUNT; i++) {
    if (strcmp(MESSAGES[i].name, name)) continue;
    PyObject *bases = PyTuple_Pack(2, (PyObject *)base_type, class);
    PyTypeObject *type = bases ? add_message_type(module, &MESSAGES[i], bases) : NULL;
    if (!type) return NULL;
    view_types[i] = type;
    return Py_NewRef(type);
  }
  return PyErr_Format(PyExc_ValueError, "nothing in OTLP is called '%s'", name);
}

static PyMethodDef FUNCTIONS[] = {
    {"extend_view", extend_view, METH_VARARGS,
     "extend_view(name, class, /)\n--\n\nGive views of messages of that name what the class has,\n"
     "which has `__slots__ = ()`."},
    {NULL, NULL, 0, NULL},
};

int view_types_add(PyObject *module) {
  assert(MESSAGE_COUNT <= MOST_MESSAGES);
  base_type = add_base_type(module);
  for (int i = 0; base_type && i < MESSAGE_COUNT; i++) {
    PyObject *bases = PyTuple_Pack(1, (PyObject *)base_type);
    view_types[i] = bases ? add_message_type(module, &MESSAGES[i], bases) : NULL;
    if (!view_types[i]) return -1;
  }
  return base_type ? PyModule_AddFunctions(module, FUNCTIONS) : -1;
}
