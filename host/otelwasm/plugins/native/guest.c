/* One call of a plugin: what direct.py does in Python, without Python.
 *
 *     payload ──► check, copy ──► run ──► check the outcome ──► passed, replaced, dropped
 *                                              │
 *                                              └ anything else: direct.py reads it again
 *
 * A long payload goes where the last outcome said that a buffer stands ready, if it said so.
 *
 * Here is only the way that nearly all batches take. Whatever is unusual, and above all whatever is
 * wrong, is left to Python as it is: the same checks are there, and the words for what they find.
 * So this may refuse more than Python does, never less.
 */
#include "guest.h"

#include <time.h>

#include "lock.h"

/* wasmtime's component values, as _ffi.py compares when a guest is made. */
typedef struct {
  uint8_t kind;
  union {
    uint32_t u32;
    uint64_t words[3];
  } of;
} Value;

/* wit/direct.wit's outcome. */
typedef struct {
  uint32_t kind;
  uint32_t offset;
  uint32_t length;
  uint32_t has_number;
  uint64_t number;
} Outcome;

_Static_assert(sizeof(Outcome) == 24, "an outcome is 24 bytes");

enum { PASS = 0, REPLACE = 1, DROP = 2, RECEIPT = 5 };
enum { INBOX_BYTES = 1 << 16, ALIGNMENT = 8 };

/* What memory.py keeps of a memory. */
typedef struct {
  uint64_t address;
  uint64_t size;
} Extent;

/* What deadline.py keeps of the call under way. */
typedef struct {
  double left_s;
  double resumed_s;
  double in_host_s;
  double began_s;
} Times;

typedef void *CallFunction(const void *function, void *context, const Value *arguments,
                           size_t count, Value *results, size_t results_count);
typedef void SetDeadline(void *context, uint64_t ticks);

struct Guest {
  PyObject_HEAD
  CallFunction *call;
  SetDeadline *set_deadline;
  void *context;
  const void *reserve;
  const void *run;
  const volatile Extent *extent;
  volatile Times *times;
  double limit_s;
  uint64_t ticks;
  uint64_t budget_bytes;
  bool is_exporter;
  bool is_busy;
  bool has_inbox;
  bool has_left;
  Ending left;
  uint32_t inbox;
  uint32_t standing; /* a buffer for the next long payload, of so many bytes: */
  uint64_t standing_bytes;
  void *error;
  Outcome outcome;
  PyObject *kept;
  Value arguments[2];
  Value result;
};

PyTypeObject *guest_type;

double seconds_now(void) {
  struct timespec now;
#ifdef __APPLE__
  clock_gettime(CLOCK_UPTIME_RAW, &now);
#else
  clock_gettime(CLOCK_MONOTONIC, &now);
#endif
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool lies_inside(const Guest *guest, uint64_t at, uint64_t length) {
  return at + length <= guest->extent->size; /* both are 32 bits */
}

static bool has_called(Guest *guest, const void *function, size_t count) {
  guest->error =
      guest->call(function, guest->context, guest->arguments, count, &guest->result, 1);
  return !guest->error;
}

static Ending verdict(Guest *guest) {
  uint32_t at = guest->result.of.u32;
  if (at % ALIGNMENT || !lies_inside(guest, at, sizeof(Outcome))) return ANSWERED;
  /* Safety: in range, and only this thread can grow the memory. */
  memcpy(&guest->outcome, (const char *)(uintptr_t)guest->extent->address + at, sizeof(Outcome));
  const Outcome *outcome = &guest->outcome;
  if (guest->is_exporter) {
    bool is_all = !outcome->length && (!outcome->has_number || !outcome->number);
    bool is_text = lies_inside(guest, outcome->offset, 0);
    return outcome->kind == RECEIPT && is_all && is_text ? DROPPED : ANSWERED;
  }
  if (outcome->kind <= DROP && outcome->has_number) {
    guest->standing = (uint32_t)outcome->number; /* whether it lies inside is seen when it is used */
    guest->standing_bytes = outcome->number >> 32;
  }
  if (outcome->kind == PASS) return PASSED;
  if (outcome->kind == DROP) return DROPPED;
  bool is_whole = lies_inside(guest, outcome->offset, outcome->length);
  bool is_within_budget = outcome->length <= guest->budget_bytes;
  return outcome->kind == REPLACE && is_whole && is_within_budget ? REPLACED : ANSWERED;
}

static Ending crossed(Guest *guest, uint32_t what, const void *payload, size_t length) {
  uint32_t at = guest->inbox;
  bool is_small = length <= INBOX_BYTES;
  bool has_room = is_small ? guest->has_inbox : length <= guest->standing_bytes;
  if (!is_small) at = guest->standing;
  guest->standing_bytes = 0; /* until the outcome says so again */
  if (!has_room) {
    guest->arguments[0].of.u32 = is_small ? INBOX_BYTES : (uint32_t)length;
    if (!has_called(guest, guest->reserve, 1)) return FAULTED;
    at = guest->result.of.u32;
    if (is_small) {
      guest->inbox = at;
      guest->has_inbox = true;
    }
  }
  if (!lies_inside(guest, at, length)) return UNTRIED;
  /* Safety: in range, and only this thread can grow the memory. */
  memcpy((char *)(uintptr_t)guest->extent->address + at, payload, length);
  guest->arguments[0].of.u32 = what;
  guest->arguments[1].of.u32 = (uint32_t)length;
  return has_called(guest, guest->run, 2) ? verdict(guest) : FAULTED;
}

Ending guest_run(Guest *guest, uint32_t what, const void *payload, size_t length) {
  if (guest->is_busy || guest->has_left || length > UINT32_MAX) {
    guest->standing_bytes = 0; /* Python may use it up */
    return UNTRIED;
  }
  guest->is_busy = true;
  double now = seconds_now();
  guest->times->left_s = guest->limit_s;
  guest->times->resumed_s = now;
  guest->times->in_host_s = 0;
  guest->times->began_s = now;
  guest->set_deadline(guest->context, guest->ticks);
  Ending ending = crossed(guest, what, payload, length);
  guest->is_busy = false;
  return ending;
}

const void *guest_data(const Guest *guest, size_t *length) {
  *length = guest->outcome.length;
  return (const char *)(uintptr_t)guest->extent->address + guest->outcome.offset;
}

void guest_leave(Guest *guest, Ending ending) {
  guest->left = ending;
  guest->has_left = true;
}

/* ---- for Python ------------------------------------------------------------------------- */

static PyObject *guest_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
  (void)keywords;
  unsigned long long call, set_deadline, context, reserve, run, extent, times, ticks, budget_bytes;
  double limit_s;
  int value_bytes, kind, is_exporter;
  PyObject *kept;
  if (!PyArg_ParseTuple(arguments, "KKKKKKKdKKpiiO:Guest", &call, &set_deadline, &context, &reserve,
                        &run, &extent, &times, &limit_s, &ticks, &budget_bytes, &is_exporter,
                        &value_bytes, &kind, &kept)) {
    return NULL;
  }
  if (value_bytes != sizeof(Value)) {
    return PyErr_Format(PyExc_ValueError, "wasmtime's values take %d bytes, not %zu", value_bytes,
                        sizeof(Value));
  }
  Guest *guest = (Guest *)PyType_GenericAlloc(type, 0);
  if (!guest) return NULL;
  guest->call = (CallFunction *)(uintptr_t)call;
  guest->set_deadline = (SetDeadline *)(uintptr_t)set_deadline;
  guest->context = (void *)(uintptr_t)context;
  guest->reserve = (const void *)(uintptr_t)reserve;
  guest->run = (const void *)(uintptr_t)run;
  guest->extent = (const volatile Extent *)(uintptr_t)extent;
  guest->times = (volatile Times *)(uintptr_t)times;
  guest->limit_s = limit_s;
  guest->ticks = ticks;
  guest->budget_bytes = budget_bytes;
  guest->is_exporter = is_exporter;
  guest->kept = Py_NewRef(kept);
  guest->arguments[0].kind = guest->arguments[1].kind = guest->result.kind = (uint8_t)kind;
  return (PyObject *)guest;
}

static void guest_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  Py_XDECREF(((Guest *)self)->kept);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

static PyObject *guest_run_method(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
  if (count != 2) return PyErr_Format(PyExc_TypeError, "run() takes 2 arguments, not %zd", count);
  Guest *guest = (Guest *)self;
  long what = PyLong_AsLong(arguments[0]);
  if (what == -1 && PyErr_Occurred()) return NULL;
  PyObject *payload = arguments[1];
  char *bytes;
  Py_ssize_t length;
  if (PyBytes_AsStringAndSize(payload, &bytes, &length)) return NULL;
  Ending ending;
  if (guest->has_left) {
    ending = guest->left;
    guest->has_left = false;
  } else {
    void *thread = PyEval_SaveThread();
    ending = guest_run(guest, (uint32_t)what, bytes, (size_t)length);
    PyEval_RestoreThread(thread);
  }
  if (ending == PASSED) Py_RETURN_TRUE;
  if (ending == DROPPED) Py_RETURN_NONE;
  if (ending == REPLACED) {
    size_t size;
    const void *data = guest_data(guest, &size);
    /* Safety: in range (verdict), and only this thread can grow the memory. */
    return PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
  }
  return PyLong_FromLong(ending);
}

static PyObject *guest_error(PyObject *self, void *closure) {
  (void)closure;
  Guest *guest = (Guest *)self;
  void *error = guest->error;
  guest->error = NULL;
  return PyLong_FromSize_t((size_t)error);
}

static PyObject *guest_outcome_at(PyObject *self, void *closure) {
  (void)closure;
  return PyLong_FromUnsignedLong(((Guest *)self)->result.of.u32);
}

static PyMethodDef METHODS[] = {
    {"run", (PyCFunction)(void (*)(void))guest_run_method, METH_FASTCALL,
     "run(what, payload, /)\n--\n\nTrue if the payload passed, the bytes that replace it, None if\n"
     "it was dropped; or one of the numbers of this module, which say what is left to do."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef GETTERS[] = {
    {"error", guest_error, NULL, "The address of wasmtime's error, which is the caller's.", NULL},
    {"outcome_at", guest_outcome_at, NULL, "Where the plugin says that its outcome is.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot SLOTS[] = {
    {Py_tp_new, guest_new},
    {Py_tp_dealloc, guest_dealloc},
    {Py_tp_methods, METHODS},
    {Py_tp_getset, GETTERS},
    {Py_tp_doc, "A plugin's `reserve` and `run`, to be called on one thread at a time."},
    {0, NULL},
};

static PyType_Spec SPEC = {
    .name = "otelwasm_calls.Guest",
    .basicsize = sizeof(Guest),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = SLOTS,
};

int guest_add_type(PyObject *module) {
  guest_type = (PyTypeObject *)PyType_FromSpec(&SPEC);
  if (!guest_type) return -1;
  if (PyModule_AddIntConstant(module, "UNTRIED", UNTRIED)) return -1;
  if (PyModule_AddIntConstant(module, "ANSWERED", ANSWERED)) return -1;
  if (PyModule_AddIntConstant(module, "FAULTED", FAULTED)) return -1;
  return PyModule_AddObject(module, "Guest", Py_NewRef(guest_type));
}
