/* 128-bit multiplication, which clang calls by this name and the guest's libraries do not export.
 *
 * protobuf's hash tables use it. The product's low 128 bits come from four products of 32-bit
 * halves; the high halves of the factors only reach the upper word.
 */
typedef unsigned long long u64;

typedef struct {
  u64 low;
  u64 high;
} Product;

Product __multi3(u64 a_low, u64 a_high, u64 b_low, u64 b_high);

Product __multi3(u64 a_low, u64 a_high, u64 b_low, u64 b_high) {
  const u64 mask = 0xffffffffu;
  u64 a0 = a_low & mask, a1 = a_low >> 32;
  u64 b0 = b_low & mask, b1 = b_low >> 32;
  u64 low = a0 * b0;
  u64 middle1 = a1 * b0 + (low >> 32);
  u64 middle0 = a0 * b1 + (middle1 & mask);
  Product product = {
      .low = (low & mask) | (middle0 << 32),
      .high = a1 * b1 + (middle1 >> 32) + (middle0 >> 32) + a_low * b_high + a_high * b_low,
  };
  return product;
}
