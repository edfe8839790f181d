#include "oci/platform.hpp"

// In a file of its own: asking for the processor's features links a constructor that runs CPUID, which costs a tenth of a
// millisecond in a virtual machine. What never calls host() does not pay.

namespace sbx::oci {
namespace {

#if defined(__x86_64__)
/// The level of the x86-64 psABI, by the features that tell one from the next.
const char* host_variant() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt")) {
    return "v1";
  }
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2") ||
      !__builtin_cpu_supports("fma")) {
    return "v2";
  }
  const bool v4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  return v4 ? "v4" : "v3";
}
constexpr const char* kHostArchitecture = "amd64";
#elif defined(__aarch64__)
const char* host_variant() { return ""; }
constexpr const char* kHostArchitecture = "arm64";
#elif defined(__riscv) && __riscv_xlen == 64
const char* host_variant() { return ""; }
constexpr const char* kHostArchitecture = "riscv64";
#elif defined(__powerpc64__)
const char* host_variant() { return ""; }
constexpr const char* kHostArchitecture = "ppc64le";
#else
#error "which architecture is this, in Go's words?"
#endif

}  // namespace

Platform Platform::host() {
  return Platform{"linux", kHostArchitecture, host_variant()}.normalised();
}

}  // namespace sbx::oci
