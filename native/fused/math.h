// Elementary functions of single precision without branches, so that a loop over them becomes vector code.
//
// Polynomials are minimax fits (Remez) of the project's own. Not-a-number goes through: every select below keeps its
// last branch when a comparison is false. Results below 2^-126 are zero.
#pragma once

#include <cstdint>

namespace masksub::MASKSUB_ISA {

inline uint32_t Bits(float x) { return __builtin_bit_cast(uint32_t, x); }
inline float FromBits(uint32_t bits) { return __builtin_bit_cast(float, bits); }

constexpr float kInfinity = __builtin_inff();
constexpr float kLog2E = 1.44269504f;
constexpr float kLn2High = 0.693359375f;      // few bits: its product with a small integer is exact
constexpr float kLn2Low = -2.12194440e-4f;    // ln 2 - kLn2High
constexpr float kRound = 12582912.0f;         // 1.5 * 2^23: adding it rounds to an integer, held in the low bits
constexpr uint32_t kRoundBits = 0x4b400000u;  // its bits

// x / ln 2 as k + remainder: 2^(k-1), and the remainder times ln 2.
struct Reduced {
  float half_power, rest;
};

inline Reduced ReduceByLn2(float x) {
  const float shifted = x * kLog2E + kRound;
  const float k = shifted - kRound;
  const float rest = (x - k * kLn2High) - k * kLn2Low;
  return {FromBits((Bits(shifted) - kRoundBits + 126u) << 23), rest};
}

// exp(r) - 1 for |r| <= ln 2 / 2; relative error 1.3e-8.
inline float Expm1OfRest(float r) {
  float q = 0.00139465532f;
  q = q * r + 0.00836664252f;
  q = q * r + 0.0416662805f;
  q = q * r + 0.16666542f;
  q = q * r + 0.5f;
  return r + r * r * q;
}

inline float Exp(float x) {
  const float low = x < -87.5f ? -87.5f : x;
  const Reduced reduced = ReduceByLn2(low > 89.0f ? 89.0f : low);
  const float p = 1.0f + Expm1OfRest(reduced.rest);
  return (p + p) * reduced.half_power;
}

inline float Expm1(float x) {
  const float low = x < -20.0f ? -20.0f : x;
  const Reduced reduced = ReduceByLn2(low > 89.0f ? 89.0f : low);
  const float half = reduced.half_power * Expm1OfRest(reduced.rest) + (reduced.half_power - 0.5f);
  return half + half;
}

// 2^x for -100 < x < 100.
inline float Exp2(float x) {
  const float shifted = x + kRound;
  const float f = x - (shifted - kRound);
  float q = 0.000154764464f;
  q = q * f + 0.00134004035f;
  q = q * f + 0.00961800385f;
  q = q * f + 0.0555032752f;
  q = q * f + 0.240226507f;
  q = q * f + 0.693147182f;
  return (1.0f + f * q) * FromBits((Bits(shifted) - kRoundBits + 127u) << 23);
}

inline float Log(float x) {
  const bool tiny = x < 1.17549435e-38f;
  const uint32_t bits = Bits(tiny ? x * 8388608.0f : x);
  // The mantissa in [sqrt(1/2), sqrt(2)).
  const int32_t exponent = static_cast<int32_t>(bits - 0x3f3504f3u) >> 23;
  const float f = FromBits(bits - (static_cast<uint32_t>(exponent) << 23)) - 1.0f;
  const float e = static_cast<float>(exponent) - (tiny ? 23.0f : 0.0f);
  float p = -0.0786095634f;
  p = p * f + 0.128834963f;
  p = p * f + -0.131290957f;
  p = p * f + 0.141809568f;
  p = p * f + -0.166244999f;
  p = p * f + 0.200022951f;
  p = p * f + -0.250008106f;
  p = p * f + 0.333333164f;
  const float square = f * f;
  const float correction = (square * f * p + e * kLn2Low) - 0.5f * square;
  const float finite = (f + correction) + e * kLn2High;
  const float positive = x < kInfinity ? finite : x;
  const float outside = x < 0.0f ? __builtin_nanf("") : -kInfinity;
  return x <= 0.0f ? outside : positive;
}

inline float Log1p(float x) {
  const float u = 1.0f + x;
  const float log = Log(u);
  const float exact = log + (x - (u - 1.0f)) / u;  // what rounding took from u
  return x > -1.0f ? (x < kInfinity ? exact : log) : log;
}

// Absolute error below 1e-7, relative error about one unit near 0.
inline float Erf(float x) {
  const float z = x * x;
  float p = 7.88912294e-05f;
  p = p * z + -0.000802084222f;
  p = p * z + 0.00518953567f;
  p = p * z + -0.0268544443f;
  p = p * z + 0.112836003f;
  p = p * z + -0.37612626f;
  p = p * z + 0.128379166f;
  const float near = x + x * p;
  const float size = __builtin_fabsf(x);
  const float t = size > 4.0f ? 4.0f : size;
  float s = 0.000269461802f;  // log2(erfc(t)), 1 <= t <= 4
  s = s * t + -0.00425865408f;
  s = s * t + 0.0315319784f;
  s = s * t + -0.148811027f;
  s = s * t + -0.920574486f;
  s = s * t + -1.62609398f;
  s = s * t + -0.00047997458f;
  const float far = __builtin_copysignf(1.0f - Exp2(s), x);
  return size < 1.0f ? near : far;
}

inline float Tanh(float x) {
  const float z = x * x;
  float p = -0.00567931728f;
  p = p * z + 0.0206181351f;
  p = p * z + -0.0537340045f;
  p = p * z + 0.133313835f;
  p = p * z + -0.333332807f;
  const float near = x + x * z * p;
  const float size = __builtin_fabsf(x);
  const float far = __builtin_copysignf(1.0f - 2.0f / (Exp(size + size) + 1.0f), x);
  return size < 0.625f ? near : far;
}

inline float Sigmoid(float x) { return 1.0f / (1.0f + Exp(-x)); }

inline float FromBfloat16(uint16_t bits) { return FromBits(static_cast<uint32_t>(bits) << 16); }

// To nearest, ties to even.
inline uint16_t ToBfloat16(float x) {
  const uint32_t bits = Bits(x);
  const uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  return static_cast<uint16_t>((x != x ? bits | 0x400000u : rounded) >> 16);
}

}  // namespace masksub::MASKSUB_ISA
