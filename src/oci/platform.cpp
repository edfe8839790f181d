#include "oci/platform.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sbx::oci {
namespace {

constexpr std::size_t kMaxWord = 64;

bool valid_word(std::string_view word) {
  return word.size() <= kMaxWord && std::all_of(word.begin(), word.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// "v3" is 3; no variant is 1 for amd64, 0 else.
int level(const Platform& platform) {
  const std::string& v = platform.variant;
  if (v.size() == 2 && v[0] == 'v' && v[1] >= '0' && v[1] <= '9') {
    return v[1] - '0';
  }
  return v.empty() && platform.architecture == "amd64" ? 1 : 0;
}

}  // namespace

Result<Platform> Platform::parse(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (c == '/') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  const bool valid = words.size() <= 3 &&
                     std::all_of(words.begin(), words.end(),
                                 [](const std::string& w) { return !w.empty() && valid_word(w); });
  if (!valid) {
    return fail(Error::make(
        ErrorCode::kInvalidArgument, "read platform", text,
        "it should be OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, such as linux/arm64"));
  }
  if (words.size() == 1) {
    return Platform{"linux", words[0], ""}.normalised();
  }
  return Platform{words[0], words[1], words.size() == 3 ? words[2] : ""}.normalised();
}

Result<Platform> Platform::from_json(const Json& object) {
  Platform out{SBX_TRY(find_string(object, "os")).value_or(""),
               SBX_TRY(find_string(object, "architecture")).value_or(""),
               SBX_TRY(find_string(object, "variant")).value_or("")};
  if (!valid_word(out.os) || !valid_word(out.architecture) || !valid_word(out.variant)) {
    return fail(Error::make(ErrorCode::kCorrupt, "read platform", out.str(), "not words"));
  }
  return out.normalised();
}

Platform Platform::normalised() const {
  Platform out{lower(os), lower(architecture), lower(variant)};
  if (out.architecture == "x86_64" || out.architecture == "x86-64") {
    out.architecture = "amd64";
  } else if (out.architecture == "aarch64") {
    out.architecture = "arm64";
  } else if (out.architecture == "armhf") {
    out.architecture = "arm";
    out.variant = "v7";
  } else if (out.architecture == "armel") {
    out.architecture = "arm";
    out.variant = "v6";
  }
  constexpr std::size_t kLongestNumber = 3;  // "8", "8.1"; anything longer is some other word
  if (!out.variant.empty() && out.variant.size() <= kLongestNumber && out.variant[0] >= '0' &&
      out.variant[0] <= '9') {
    out.variant.insert(0, "v");
  }
  if (out.architecture == "arm64" && (out.variant == "v8" || out.variant == "v8.0")) {
    out.variant.clear();
  } else if (out.architecture == "arm" && out.variant.empty()) {
    out.variant = "v7";
  } else if (out.architecture == "amd64" && out.variant == "v1") {
    out.variant.clear();
  }
  return out;
}

std::string Platform::str() const {
  const std::string base =
      fmt::format("{}/{}", os.empty() ? "?" : os, architecture.empty() ? "?" : architecture);
  return variant.empty() ? base : fmt::format("{}/{}", base, variant);
}

int platform_rank(const Platform& wanted_raw, const Platform& candidate_raw) {
  const Platform wanted = wanted_raw.normalised();
  const Platform candidate = candidate_raw.normalised();
  if (wanted.os != candidate.os || wanted.architecture != candidate.architecture) {
    return 0;
  }
  if (wanted.variant == candidate.variant) {
    return 100;
  }
  const bool leveled =
      wanted.architecture == "amd64" || wanted.architecture == "arm" || candidate.variant.empty();
  return leveled && level(candidate) <= level(wanted) ? 10 + level(candidate) : 0;
}

}  // namespace sbx::oci
