/* Python's lock, which ../../../../guests/sdk/python/native/include/Python.h leaves out: a guest has
 * one thread. */
#ifndef OTELWASM_LOCK_H
#define OTELWASM_LOCK_H

void *PyEval_SaveThread(void);
void PyEval_RestoreThread(void *thread);

#endif
