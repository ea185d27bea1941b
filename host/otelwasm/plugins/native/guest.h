/* A plugin that is called in the integers-only form of wit/direct.wit. */
#ifndef OTELWASM_GUEST_H
#define OTELWASM_GUEST_H

#include <Python.h>
#include <stdbool.h>

/* What became of a call. */
typedef enum {
  PASSED,   /* the payload goes on as it came */
  REPLACED, /* by what lies in the plugin's memory */
  DROPPED,  /* or, by an exporter, taken as a whole */
  UNTRIED,  /* it was not run: Python has to, and says what is wrong */
  ANSWERED, /* with something else, or nonsense: Python has to read the outcome */
  FAULTED,  /* it ended with wasmtime's error */
} Ending;

typedef struct Guest Guest;

/* Have *guest* run *length* bytes. It takes no Python, so it runs without the interpreter's lock;
 * on one thread at a time. */
Ending guest_run(Guest *guest, uint32_t what, const void *payload, size_t length);

/* Where the bytes of REPLACED lie, until the next call; they were checked. */
const void *guest_data(const Guest *guest, size_t *length);

/* Leave a call that ended so for `Guest.run`, called next, to finish. */
void guest_leave(Guest *guest, Ending ending);

/* Seconds, by the clock of Python's time.monotonic(). */
double seconds_now(void);

extern PyTypeObject *guest_type;
int guest_add_type(PyObject *module);

#endif
