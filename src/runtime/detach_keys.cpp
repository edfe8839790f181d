#include "runtime/detach_keys.hpp"

#include <optional>

namespace sbx::runtime {
namespace {

constexpr std::string_view kControl = "ctrl-";

std::optional<char> key_of(std::string_view word) {
  if (word.size() == 1) {
    return word.front();
  }
  if (!word.starts_with(kControl) || word.size() != kControl.size() + 1) {
    return std::nullopt;
  }
  const char key = word.back();
  const bool known =
      (key >= 'a' && key <= 'z') || std::string_view("@[\\]^_").find(key) != std::string_view::npos;
  return known ? std::optional(static_cast<char>(key & 0x1f)) : std::nullopt;
}

}  // namespace

Result<DetachKeys> DetachKeys::parse(std::string_view text) {
  DetachKeys out;
  while (!text.empty()) {
    const std::size_t comma = text.find(',', 1);  // a comma may be a key
    const std::optional<char> key = key_of(text.substr(0, comma));
    if (!key) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "use the detach keys", text,
                              "a key is a character, or 'ctrl-' and one of a-z @ [ \\ ] ^ _")
                      .with_hint("--detach-keys ctrl-p,ctrl-q"));
    }
    out.keys_.push_back(*key);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return out;
}

DetachKeys::Fed DetachKeys::feed(std::string_view bytes) {
  Fed out;
  if (keys_.empty()) {
    out.forward = bytes;
    return out;
  }
  for (const char byte : bytes) {
    if (byte != keys_[matched_]) {
      out.forward += keys_.substr(0, matched_);
      matched_ = 0;
    }
    if (byte != keys_[matched_]) {
      out.forward += byte;
    } else if (++matched_ == keys_.size()) {
      out.detach = true;
      return out;
    }
  }
  return out;
}

}  // namespace sbx::runtime
