/* The functions and data of CPython's stable ABI that Python.h offers; included by it.
 *
 * Apart, so that a test can put these prototypes after a real CPython's header and let the
 * compiler compare them.
 */
#ifndef OTELWASM_PYFUNCTIONS_H
#define OTELWASM_PYFUNCTIONS_H

/* objects */
void Py_IncRef(PyObject *);
void Py_DecRef(PyObject *);
void _Py_Dealloc(PyObject *);
PyObject *_PyObject_New(PyTypeObject *);
PyObject *PyObject_Init(PyObject *, PyTypeObject *);
void PyObject_Free(void *);
void *PyObject_Malloc(size_t);
void PyObject_GC_UnTrack(void *);
void PyObject_ClearWeakRefs(PyObject *);
PyObject *PyObject_Call(PyObject *, PyObject *, PyObject *);
PyObject *PyObject_CallFunction(PyObject *, const char *, ...);
PyObject *PyObject_CallFunctionObjArgs(PyObject *, ...);
PyObject *PyObject_CallMethod(PyObject *, const char *, const char *, ...);
PyObject *PyObject_CallObject(PyObject *, PyObject *);
PyObject *PyObject_GenericGetAttr(PyObject *, PyObject *);
PyObject *PyObject_GetAttrString(PyObject *, const char *);
PyObject *PyObject_GetItem(PyObject *, PyObject *);
PyObject *PyObject_GetIter(PyObject *);
int PyObject_HasAttrString(PyObject *, const char *);
Py_hash_t PyObject_Hash(PyObject *);
Py_hash_t PyObject_HashNotImplemented(PyObject *);
int PyObject_IsSubclass(PyObject *, PyObject *);
int PyObject_IsTrue(PyObject *);
PyObject *PyObject_Repr(PyObject *);
PyObject *PyObject_RichCompare(PyObject *, PyObject *, int);
int PyObject_RichCompareBool(PyObject *, PyObject *, int);
PyObject *PyObject_SelfIter(PyObject *);
int PyObject_SetAttr(PyObject *, PyObject *, PyObject *);
int PyObject_SetAttrString(PyObject *, const char *, PyObject *);
Py_ssize_t PyObject_Size(PyObject *);
PyObject *PyObject_Str(PyObject *);
int PyCallable_Check(PyObject *);
PyObject *PyIter_Next(PyObject *);

/* types, modules, arguments */
PyObject *PyType_FromSpec(PyType_Spec *);
PyObject *PyType_FromSpecWithBases(PyType_Spec *, PyObject *);
PyObject *PyType_GenericAlloc(PyTypeObject *, Py_ssize_t);
unsigned long PyType_GetFlags(PyTypeObject *);
void *PyType_GetSlot(PyTypeObject *, int);
PyObject *PyType_GetName(PyTypeObject *);
int PyType_IsSubtype(PyTypeObject *, PyTypeObject *);
PyObject *PyImport_ImportModule(const char *);
PyObject *PyImport_ImportModuleLevel(const char *, PyObject *, PyObject *, PyObject *, int);
int PyModule_AddIntConstant(PyObject *, const char *, long);
int PyModule_AddFunctions(PyObject *, PyMethodDef *);
int PyModule_AddObject(PyObject *, const char *, PyObject *);
PyObject *PyModule_Create2(PyModuleDef *, int);
PyModuleDef *PyModule_GetDef(PyObject *);
void *PyModule_GetState(PyObject *);
PyObject *PyState_FindModule(PyModuleDef *);
int PyArg_ParseTuple(PyObject *, const char *, ...);
int PyArg_ParseTupleAndKeywords(PyObject *, PyObject *, const char *, char *const *, ...);
int PyArg_UnpackTuple(PyObject *, const char *, Py_ssize_t, Py_ssize_t, ...);
PyObject *Py_BuildValue(const char *, ...);

/* errors */
void PyErr_Clear(void);
int PyErr_ExceptionMatches(PyObject *);
PyObject *PyErr_Format(PyObject *, const char *, ...);
PyObject *PyErr_NoMemory(void);
PyObject *PyErr_Occurred(void);
void PyErr_Print(void);
void PyErr_SetNone(PyObject *);
void PyErr_SetObject(PyObject *, PyObject *);
void PyErr_SetString(PyObject *, const char *);
int PyErr_WarnEx(PyObject *, const char *, Py_ssize_t);

/* numbers */
PyObject *PyBool_FromLong(long);
double PyFloat_AsDouble(PyObject *);
PyObject *PyFloat_FromDouble(double);
long PyLong_AsLong(PyObject *);
long long PyLong_AsLongLong(PyObject *);
size_t PyLong_AsSize_t(PyObject *);
unsigned long long PyLong_AsUnsignedLongLong(PyObject *);
PyObject *PyLong_FromLong(long);
PyObject *PyLong_FromLongLong(long long);
PyObject *PyLong_FromSize_t(size_t);
PyObject *PyLong_FromSsize_t(Py_ssize_t);
PyObject *PyLong_FromUnsignedLong(unsigned long);
PyObject *PyLong_FromUnsignedLongLong(unsigned long long);
Py_ssize_t PyNumber_AsSsize_t(PyObject *, PyObject *);
PyObject *PyNumber_Index(PyObject *);

/* text and bytes */
PyObject *PyUnicode_DecodeUTF8(const char *, Py_ssize_t, const char *);
const char *PyUnicode_AsUTF8AndSize(PyObject *, Py_ssize_t *);
PyObject *PyUnicode_FromEncodedObject(PyObject *, const char *, const char *);
PyObject *PyUnicode_FromFormat(const char *, ...);
PyObject *PyUnicode_FromString(const char *);
PyObject *PyUnicode_FromStringAndSize(const char *, Py_ssize_t);
PyObject *PyUnicode_InternFromString(const char *);
PyObject *PyUnicode_Join(PyObject *, PyObject *);
char *PyByteArray_AsString(PyObject *);
Py_ssize_t PyByteArray_Size(PyObject *);
char *PyBytes_AsString(PyObject *);
int PyBytes_AsStringAndSize(PyObject *, char **, Py_ssize_t *);
PyObject *PyBytes_FromFormat(const char *, ...);
PyObject *PyBytes_FromStringAndSize(const char *, Py_ssize_t);
Py_ssize_t PyBytes_Size(PyObject *);
int PyObject_GetBuffer(PyObject *, Py_buffer *, int);
void PyBuffer_Release(Py_buffer *);
PyObject *PyMemoryView_FromMemory(char *, Py_ssize_t, int);
PyObject *PyMemoryView_GetContiguous(PyObject *, int, char);

/* containers */
int PyDict_Contains(PyObject *, PyObject *);
int PyDict_DelItemString(PyObject *, const char *);
PyObject *PyDict_GetItemString(PyObject *, const char *);
PyObject *PyDict_GetItemWithError(PyObject *, PyObject *);
int PyDict_Merge(PyObject *, PyObject *, int);
PyObject *PyDict_New(void);
int PyDict_Next(PyObject *, Py_ssize_t *, PyObject **, PyObject **);
int PyDict_SetItem(PyObject *, PyObject *, PyObject *);
int PyDict_SetItemString(PyObject *, const char *, PyObject *);
Py_ssize_t PyDict_Size(PyObject *);
int PyList_Append(PyObject *, PyObject *);
PyObject *PyList_GetItem(PyObject *, Py_ssize_t);
PyObject *PyList_New(Py_ssize_t);
int PyList_SetItem(PyObject *, Py_ssize_t, PyObject *);
Py_ssize_t PyList_Size(PyObject *);
int PySequence_Contains(PyObject *, PyObject *);
PyObject *PySequence_Fast(PyObject *, const char *);
PyObject *PySequence_GetItem(PyObject *, Py_ssize_t);
Py_ssize_t PySequence_Size(PyObject *);
int PySequence_SetItem(PyObject *, Py_ssize_t, PyObject *);
Py_ssize_t PySlice_AdjustIndices(Py_ssize_t, Py_ssize_t *, Py_ssize_t *, Py_ssize_t);
PyObject *PySlice_New(PyObject *, PyObject *, PyObject *);
int PySlice_Unpack(PyObject *, Py_ssize_t *, Py_ssize_t *, Py_ssize_t *);
PyObject *PyTuple_GetItem(PyObject *, Py_ssize_t);
PyObject *PyTuple_New(Py_ssize_t);
PyObject *PyTuple_Pack(Py_ssize_t, ...);
int PyTuple_SetItem(PyObject *, Py_ssize_t, PyObject *);
Py_ssize_t PyTuple_Size(PyObject *);

/* The interpreter; since 3.13, so only where the guest's CPython is known. */
int Py_IsFinalizing(void);

/* singletons and types */
extern PyObject _Py_NoneStruct;
extern PyObject _Py_EllipsisObject;
extern PyObject _Py_NotImplementedStruct;
extern PyLongObject _Py_TrueStruct;
extern PyLongObject _Py_FalseStruct;
extern PyTypeObject PyBool_Type;
extern PyTypeObject PyByteArray_Type;
extern PyTypeObject PyDict_Type;
extern PyTypeObject PyFloat_Type;
extern PyTypeObject PyMemoryView_Type;
extern PyTypeObject PySlice_Type;
extern PyTypeObject PyTuple_Type;
extern PyTypeObject PyType_Type;
extern PyTypeObject PyUnicode_Type;

/* exceptions */
extern PyObject *PyExc_AttributeError;
extern PyObject *PyExc_FutureWarning;
extern PyObject *PyExc_ImportError;
extern PyObject *PyExc_IndexError;
extern PyObject *PyExc_KeyError;
extern PyObject *PyExc_MemoryError;
extern PyObject *PyExc_NotImplementedError;
extern PyObject *PyExc_OverflowError;
extern PyObject *PyExc_RuntimeError;
extern PyObject *PyExc_SystemError;
extern PyObject *PyExc_TypeError;
extern PyObject *PyExc_ValueError;

#endif
