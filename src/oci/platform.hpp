#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace sbx::oci {

/// What an image runs on, in Go's words (GOOS, GOARCH); variants normalised: arm64 has none, arm has one.
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;

  /// "linux/arm/v7", "linux/amd64", or an architecture alone; x86_64, aarch64 and their like are understood.
  static Result<Platform> parse(std::string_view text);
  static Result<Platform> from_json(const Json& object);
  /// Of this machine, with the best variant its processor has.
  static Platform host();

  [[nodiscard]] Platform normalised() const;
  [[nodiscard]] std::string str() const;
  friend bool operator==(const Platform&, const Platform&) = default;
};

/// How well `candidate` runs on `wanted`: 0 not at all, greater is better: the same variant, then older ones
/// (amd64 v1 to v4, arm v5 to v8). Both normalised here.
int platform_rank(const Platform& wanted, const Platform& candidate);

}  // namespace sbx::oci
