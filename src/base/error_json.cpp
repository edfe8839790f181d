#include "base/error_json.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sbx {
namespace {

constexpr std::array<std::pair<ErrorCode, std::string_view>, 11> kCodes = {{
    {ErrorCode::kSystem, "system"},
    {ErrorCode::kInvalidArgument, "invalid-argument"},
    {ErrorCode::kNotFound, "not-found"},
    {ErrorCode::kAlreadyExists, "already-exists"},
    {ErrorCode::kCorrupt, "corrupt"},
    {ErrorCode::kLimit, "limit"},
    {ErrorCode::kUnsupported, "unsupported"},
    {ErrorCode::kDenied, "denied"},
    {ErrorCode::kBusy, "busy"},
    {ErrorCode::kCommandNotFound, "command-not-found"},
    {ErrorCode::kCommandNotRunnable, "command-not-runnable"},
}};

}  // namespace

Json error_to_json(const Error& error) {
  const auto* row = std::find_if(kCodes.begin(), kCodes.end(),
                                 [&](const auto& r) { return r.first == error.code; });
  SBX_ASSERT(row != kCodes.end());
  return {{"code", row->second},      {"sys_errno", error.sys_errno}, {"op", error.op},
          {"subject", error.subject}, {"reason", error.reason},       {"hint", error.hint},
          {"trail", error.trail}};
}

Result<Error> error_from_json(const Json& object) {
  const std::string word = SBX_TRY(find_string(object, "code")).value_or("");
  const auto* row =
      std::find_if(kCodes.begin(), kCodes.end(), [&](const auto& r) { return r.second == word; });
  if (row == kCodes.end()) {
    return fail(
        Error::make(ErrorCode::kCorrupt, "read error of a helper process", word, "unknown code"));
  }
  Error out;
  out.code = row->first;
  out.sys_errno = static_cast<int>(SBX_TRY(find_integer(object, "sys_errno")).value_or(0));
  out.op = SBX_TRY(find_string(object, "op")).value_or("");
  out.subject = SBX_TRY(find_string(object, "subject")).value_or("");
  out.reason = SBX_TRY(find_string(object, "reason")).value_or("");
  out.hint = SBX_TRY(find_string(object, "hint")).value_or("");
  out.trail = SBX_TRY(find_strings(object, "trail"));
  return out;
}

}  // namespace sbx
