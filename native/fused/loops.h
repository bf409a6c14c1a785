// The loops of the interpreter: elementwise over a tile, reductions along its rows and down its columns.
#pragma once

#include <cstdint>

// Before a loop whose iterations are independent even where the output is one of the operands: compilers would test for
// overlap and then take the slow way.
#if defined(__clang__)
#define MASKSUB_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define MASKSUB_INDEPENDENT _Pragma("GCC ivdep")
#endif
// Each loop is a function of its own, so that the compiler gives it all registers.
#define MASKSUB_NOINLINE __attribute__((noinline))

namespace masksub::MASKSUB_ISA {

// The second and third operand of an op: an array, or (where it is null) one number for all or for each row.
struct Operands {
  float* out;
  const float *a, *b, *c;
  const float *b_rows, *c_rows;  // by row, where not null
  float b_constant, c_constant;
  int64_t rows, cols;
};

template <class F>
MASKSUB_NOINLINE void Unary(const Operands& x, F f) {
  const int64_t n = x.rows * x.cols;
  float* out = x.out;
  const float* a = x.a;
  MASKSUB_INDEPENDENT
  for (int64_t i = 0; i < n; i++) out[i] = f(a[i]);
}

template <class F>
MASKSUB_NOINLINE void Binary(const Operands& x, F f) {
  const int64_t rows = x.b_rows ? x.rows : 1;
  const int64_t n = x.b_rows ? x.cols : x.rows * x.cols;
  for (int64_t r = 0; r < rows; r++) {
    float* out = x.out + r * n;
    const float* a = x.a + r * n;
    if (x.b) {
      const float* b = x.b;
      MASKSUB_INDEPENDENT
      for (int64_t i = 0; i < n; i++) out[i] = f(a[i], b[i]);
    } else {
      const float b = x.b_rows ? x.b_rows[r] : x.b_constant;
      MASKSUB_INDEPENDENT
      for (int64_t i = 0; i < n; i++) out[i] = f(a[i], b);
    }
  }
}

template <class F>
MASKSUB_NOINLINE void Ternary(const Operands& x, F f) {
  const bool by_row = x.b_rows || x.c_rows;
  const int64_t rows = by_row ? x.rows : 1;
  const int64_t n = by_row ? x.cols : x.rows * x.cols;
  for (int64_t r = 0; r < rows; r++) {
    float* out = x.out + r * n;
    const float* a = x.a + r * n;
    const float* b = x.b + (x.b ? r * n : 0);
    const float* c = x.c + (x.c ? r * n : 0);
    const float one_b = x.b_rows ? x.b_rows[r] : x.b_constant;
    const float one_c = x.c_rows ? x.c_rows[r] : x.c_constant;
    if (b && c) {
      MASKSUB_INDEPENDENT
      for (int64_t i = 0; i < n; i++) out[i] = f(a[i], b[i], c[i]);
    } else if (b) {
      MASKSUB_INDEPENDENT
      for (int64_t i = 0; i < n; i++) out[i] = f(a[i], b[i], one_c);
    } else if (c) {
      MASKSUB_INDEPENDENT
      for (int64_t i = 0; i < n; i++) out[i] = f(a[i], one_b, c[i]);
    } else {
      MASKSUB_INDEPENDENT
      for (int64_t i = 0; i < n; i++) out[i] = f(a[i], one_b, one_c);
    }
  }
}

// Vectors pass between functions of this file only, whose calling convention does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"

// Sixteen lanes whatever the width of the registers: the order of additions is the program's.
typedef float Lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef float HalfLanes __attribute__((vector_size(32)));
typedef float QuarterLanes __attribute__((vector_size(16)));
constexpr int64_t kLanes = 16;

inline Lanes LoadLanes(const float* a) { return *reinterpret_cast<const Lanes*>(a); }

struct AddOp {
  static constexpr float kNeutral = 0.0f;
  template <class T>
  static T Apply(const T& a, const T& b) {
    return a + b;
  }
};

// Of a not-a-number on either side it keeps it.
struct MaxOp {
  static constexpr float kNeutral = -__builtin_inff();
  template <class T>
  static T Apply(const T& a, const T& b) {
    return (b > a) | (b != b) ? b : a;
  }
};

template <class F>
float Combine(Lanes v) {
  const HalfLanes eight = F::Apply(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7),
                                   __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
  const QuarterLanes four =
      F::Apply(__builtin_shufflevector(eight, eight, 0, 1, 2, 3), __builtin_shufflevector(eight, eight, 4, 5, 6, 7));
  return F::Apply(F::Apply(four[0], four[2]), F::Apply(four[1], four[3]));
}

template <class F>
float Reduce(const float* a, int64_t n) {
  const Lanes neutral = Lanes{} + F::kNeutral;
  Lanes lanes[4] = {neutral, neutral, neutral, neutral};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    for (int k = 0; k < 4; k++) lanes[k] = F::Apply(lanes[k], LoadLanes(a + i + k * kLanes));
  }
  for (; i + kLanes <= n; i += kLanes) lanes[0] = F::Apply(lanes[0], LoadLanes(a + i));
  float rest = F::kNeutral;
  for (; i < n; i++) rest = F::Apply(rest, a[i]);
  if (n < kLanes) return rest;
  return F::Apply(Combine<F>(F::Apply(F::Apply(lanes[0], lanes[1]), F::Apply(lanes[2], lanes[3]))), rest);
}

template <class F>
MASKSUB_NOINLINE void ReduceRows(float* out, const float* a, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; r++) out[r] = Reduce<F>(a + r * cols, cols);
}

// Adds the rows of a tile to `sums`, four at a time: fewer passes over the sums.
MASKSUB_NOINLINE inline void AddRows(float* sums, const float* a, int64_t rows, int64_t cols) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4, a += 4 * cols) {
    MASKSUB_INDEPENDENT
    for (int64_t i = 0; i < cols; i++) {
      sums[i] += (a[i] + a[i + cols]) + (a[i + 2 * cols] + a[i + 3 * cols]);
    }
  }
  for (; r < rows; r++, a += cols) {
    MASKSUB_INDEPENDENT
    for (int64_t i = 0; i < cols; i++) sums[i] += a[i];
  }
}

}  // namespace masksub::MASKSUB_ISA
