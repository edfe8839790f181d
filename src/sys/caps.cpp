#include "sys/caps.hpp"

#include <sys/capability.h>

#include <memory>

namespace sbx::sys {

Result<CapabilityMask> capability(const std::string& name) {
  std::string full = name;
  for (char& c : full) {
    c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  if (!full.starts_with("cap_")) {
    full.insert(0, "cap_");
  }
  cap_value_t value = 0;
  if (cap_from_name(full.c_str(), &value) != 0 || value < 0 || value > 63) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "use capability", name,
                            "there is none of that name")
                    .with_hint("see capabilities(7)"));
  }
  return CapabilityMask{1} << static_cast<unsigned>(value);
}

Result<CapabilityMask> capabilities(const std::vector<std::string>& names) {
  CapabilityMask mask = 0;
  for (const std::string& name : names) {
    mask |= SBX_TRY(capability(name));
  }
  return mask;
}

unsigned last_capability() { return static_cast<unsigned>(cap_max_bits()) - 1; }

CapabilityMask own_capabilities() {
  const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> caps(cap_get_proc(),
                                                                           &cap_free);
  CapabilityMask mask = 0;
  for (unsigned bit = 0; caps && bit <= last_capability(); ++bit) {
    cap_flag_value_t set = CAP_CLEAR;
    if (cap_get_flag(caps.get(), static_cast<cap_value_t>(bit), CAP_EFFECTIVE, &set) == 0 &&
        set == CAP_SET) {
      mask |= CapabilityMask{1} << bit;
    }
  }
  return mask;
}

}  // namespace sbx::sys
