/* SHA-256, for hashing attribute values without leaving C. */
#ifndef OTELWASM_SHA256_H
#define OTELWASM_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint32_t state[8];
  uint64_t size;
  uint8_t block[64];
} Sha256;

void sha256_start(Sha256 *sha);
void sha256_add(Sha256 *sha, const uint8_t *bytes, size_t size);
void sha256_hex(Sha256 *sha, char hex[64]);

#endif
