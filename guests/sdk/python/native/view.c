/* View: one message of a batch, read and changed in place.
 *
 * Each type of message has a Python type of its own (Span, LogRecord, Resource…), made from the
 * schema when the module is imported: one getter and setter for every field, named as in OTLP.
 */
#include "pool.h"
#include "view.h"

enum { MOST_MESSAGES = 64 };

static PyTypeObject *view_types[MOST_MESSAGES]; /* ours, by place in MESSAGES */
static PyTypeObject *used_types[MOST_MESSAGES]; /* ours, or what the SDK made of them */

static Pool pool; /* of views of our own types */

PyObject *view_new(const Place *place, PyObject *keeper) {
  PyTypeObject *type = used_types[place->message];
  int is_own = type == view_types[place->message];
  View *view = (View *)(is_own ? pool_new(&pool, type, sizeof(View)) : PyType_GenericAlloc(type, 0));
  if (!view) return NULL;
  view->holder.place = *place;
  view->keeper = Py_NewRef(keeper);
  view->found = NULL;
  return (PyObject *)view;
}

static void view_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  View *view = (View *)self;
  int is_own = type == view_types[view->holder.place.message];
  Py_DECREF(view->keeper);
  if (is_own) {
    pool_free(&pool, self);
  } else {
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
  }
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

static PyMethodDef VIEW_METHODS[] = {
    {"drop", view_drop, METH_NOARGS,
     "drop()\n--\n\nLeave this message, with all that is in it, out of the batch."},
    {"each", (PyCFunction)(void *)holder_each, METH_VARARGS | METH_KEYWORDS,
     "each(on='items', having=None)\n--\n\nAll messages of a kind in this one."},
    {"__bytes__", view_bytes, METH_NOARGS, "The message's own encoding."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base) {
  PyObject *bases = base ? PyTuple_Pack(1, (PyObject *)base) : NULL;
  PyObject *type = base && !bases ? NULL : PyType_FromSpecWithBases(spec, bases);
  Py_XDECREF(bases);
  if (!type || PyModule_AddObject(module, strrchr(spec->name, '.') + 1, Py_NewRef(type))) {
    return NULL;
  }
  return (PyTypeObject *)type;
}

static PyTypeObject *add_base_type(PyObject *module) {
  enum { COUNT = sizeof ENCLOSING / sizeof ENCLOSING[0] };
  static PyGetSetDef enclosing[COUNT + 1];
  for (int i = 0; i < COUNT; i++) {
    enclosing[i] = (PyGetSetDef){
        .name = ENCLOSING[i].name,
        .get = get_enclosing,
        .doc = "What encloses this message.",
        .closure = (void *)&ENCLOSING[i],
    };
  }
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
                                      PyTypeObject *base) {
  enum { NAME_SIZE = 64 };
  PyGetSetDef *fields = calloc(message->field_count + 1u, sizeof *fields);
  char *name = malloc(NAME_SIZE);
  if (!fields || !name) {
    free(fields);
    free(name);
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
  PyType_Slot slots[] = {{Py_tp_getset, fields}, {Py_tp_dealloc, (void *)view_dealloc}, {0, NULL}};
  PyType_Spec spec = {
      .name = name,
      .basicsize = sizeof(View),
      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
      .slots = slots,
  };
  return add_type(module, &spec, base);
}

static PyObject *use_view_type(PyObject *module, PyObject *type) {
  (void)module;
  for (int i = 0; i < MESSAGE_COUNT; i++) {
    int is_subclass = PyObject_IsSubclass(type, (PyObject *)view_types[i]);
    if (is_subclass < 0) return NULL;
    if (is_subclass) {
      used_types[i] = (PyTypeObject *)Py_NewRef(type);
      return Py_NewRef(type);
    }
  }
  return PyErr_Format(PyExc_TypeError, "%R is no subclass of a message's view", type);
}

static PyMethodDef FUNCTIONS[] = {
    {"use_view_type", use_view_type, METH_O,
     "use_view_type(type, /)\n--\n\nShow messages as this subclass of their view; a decorator.\n"
     "It has `__slots__ = ()`."},
    {NULL, NULL, 0, NULL},
};

int view_types_add(PyObject *module) {
  assert(MESSAGE_COUNT <= MOST_MESSAGES);
  PyTypeObject *base = add_base_type(module);
  for (int i = 0; base && i < MESSAGE_COUNT; i++) {
    view_types[i] = used_types[i] = add_message_type(module, &MESSAGES[i], base);
    if (!view_types[i]) return -1;
  }
  return base ? PyModule_AddFunctions(module, FUNCTIONS) : -1;
}
