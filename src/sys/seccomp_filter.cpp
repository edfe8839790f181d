#include "sys/seccomp_filter.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sbx::sys {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kNativeArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kNativeArchitecture = AUDIT_ARCH_AARCH64;
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::uint32_t kNativeArchitecture = AUDIT_ARCH_RISCV64;
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
constexpr std::uint32_t kNativeArchitecture = AUDIT_ARCH_PPC64LE;
#else
#error "name the AUDIT_ARCH of this architecture here, and check the byte order in load_argument"
#endif

constexpr std::uint16_t kLoad = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t kJumpIfEqual = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t kJumpIfSet = BPF_JMP | BPF_JSET | BPF_K;
constexpr std::uint16_t kReturn = BPF_RET | BPF_K;

std::uint32_t refusal(Errno error) {
  const auto code = static_cast<std::uint32_t>(error.value()) & SECCOMP_RET_DATA;
  return error == Errno(0) ? SECCOMP_RET_KILL_PROCESS : (SECCOMP_RET_ERRNO | code);
}

}  // namespace

SeccompFilter::SeccompFilter() {
  add(kLoad, offsetof(seccomp_data, arch));
  add(kJumpIfEqual, kNativeArchitecture, 1, 0);
  add(kReturn, SECCOMP_RET_KILL_PROCESS);
  // Numbers with the x32 bit match no rule below.
  add(kLoad, offsetof(seccomp_data, nr));
}

SeccompFilter& SeccompFilter::allow(long number) {
  add(kJumpIfEqual, static_cast<std::uint32_t>(number), 0, 1);
  add(kReturn, SECCOMP_RET_ALLOW);
  return *this;
}

SeccompFilter& SeccompFilter::allow(std::initializer_list<long> numbers) {
  for (const long number : numbers) {
    allow(number);
  }
  return *this;
}

// Every rule that loads an argument ends in a return on all its ways, so that the accumulator still holds the
// call's number where the next rule begins.
SeccompFilter& SeccompFilter::allow_if_one_of(long number, unsigned index,
                                              std::initializer_list<std::uint32_t> values,
                                              Errno otherwise) {
  add(kJumpIfEqual, static_cast<std::uint32_t>(number), 0, values.size() + 3);
  load_argument(index);
  std::size_t left = values.size();
  for (const std::uint32_t value : values) {
    add(kJumpIfEqual, value, left, 0);  // over the other values and the refusal
    --left;
  }
  finish_rule(otherwise);
  return *this;
}

SeccompFilter& SeccompFilter::allow_without_bits(long number, unsigned index, std::uint32_t bits,
                                                 Errno otherwise) {
  add(kJumpIfEqual, static_cast<std::uint32_t>(number), 0, 4);
  load_argument(index);
  add(kJumpIfSet, bits, 0, 1);
  finish_rule(otherwise);
  return *this;
}

SeccompFilter& SeccompFilter::refuse(long number, Errno error) {
  add(kJumpIfEqual, static_cast<std::uint32_t>(number), 0, 1);
  add(kReturn, refusal(error));
  return *this;
}

SeccompFilter& SeccompFilter::kill(std::initializer_list<long> numbers) {
  for (const long number : numbers) {
    add(kJumpIfEqual, static_cast<std::uint32_t>(number), 0, 1);
    add(kReturn, SECCOMP_RET_KILL_PROCESS);
  }
  return *this;
}

FsResult<void> SeccompFilter::install(Errno otherwise) {
  add(kReturn, refusal(otherwise));
  sock_fprog program{};
  program.len = static_cast<unsigned short>(length_);
  program.filter = program_.data();
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
    return fail(Errno::last());
  }
  return {};
}

void SeccompFilter::add(std::uint16_t code, std::uint32_t value, std::size_t if_true,
                        std::size_t if_false) {
  SBX_ASSERT(length_ < program_.size() && if_true < 256 && if_false < 256);
  program_.at(length_++) = {code, static_cast<std::uint8_t>(if_true),
                            static_cast<std::uint8_t>(if_false), value};
}

void SeccompFilter::load_argument(unsigned index) {
  SBX_ASSERT(index < 6);
  add(kLoad,
      static_cast<std::uint32_t>(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t)));
}

// The two ends of a rule: what falls through is refused, what jumps over that is allowed.
void SeccompFilter::finish_rule(Errno otherwise) {
  add(kReturn, refusal(otherwise));
  add(kReturn, SECCOMP_RET_ALLOW);
}

}  // namespace sbx::sys
