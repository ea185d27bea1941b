/* setjmp without its other half: WASI has no way to unwind a C stack, so longjmp ends the guest.
 *
 * protobuf's C core jumps out of a decoder that meets malformed bytes. The SDK therefore runs
 * otelwasm_native.check() first, which refuses whatever the decoder would jump for.
 */
#ifndef OTELWASM_SETJMP_H
#define OTELWASM_SETJMP_H

typedef int jmp_buf[1];

static inline int setjmp(jmp_buf buffer) {
  (void)buffer;
  return 0;
}

__attribute__((noreturn)) static inline void longjmp(jmp_buf buffer, int value) {
  (void)buffer;
  (void)value;
  __builtin_trap();
}

#endif
