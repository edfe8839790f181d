#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "image/image_store.hpp"

namespace sbx::image {

/// What `--filter` asks for, in docker's words:
///   reference=GLOB      one of several patterns fits a name, with or without its tag ("*" stops at "/")
///   dangling=BOOL       it has no name
///   label=NAME[=VALUE]  each of several is there; label!=… is not
///   before=IMAGE  since=IMAGE  until=TIME      made before, after that image; before a time (RFC 3339, seconds since 1970) or
///                       longer ago than a duration ("36h", "1h30m")
///   readonly=BOOL       it lies in an additional store
class ImageFilter {
 public:
  /// `now`: seconds since 1970. kInvalidArgument, kNotFound (the image of before= and since=).
  static Result<ImageFilter> parse(const std::vector<std::string>& words, const ImageStore& store,
                                   std::int64_t now);

  [[nodiscard]] bool accepts(const StoredImage& image) const;
  /// Whether a listing shows this name of an image that was accepted: reference= chooses names, too.
  [[nodiscard]] bool shows(std::string_view name) const;

 private:
  struct Label {
    std::string name;
    std::optional<std::string> value;
    bool wanted = true;
  };
  Result<void> add(std::string_view key, std::string_view value, const ImageStore& store,
                   std::int64_t now);
  [[nodiscard]] bool accepts_time(const StoredImage& image) const;

  std::vector<std::string> references_;
  std::vector<Label> labels_;
  std::optional<bool> dangling_;
  std::optional<bool> read_only_;
  std::optional<std::int64_t> before_;
  std::optional<std::int64_t> since_;
};

/// When an image was made, in seconds since 1970; the least number if it does not say.
std::int64_t created_at(const StoredImage& image);

/// The time that until= means. kInvalidArgument.
Result<std::int64_t> parse_until(std::string_view text, std::int64_t now);

}  // namespace sbx::image
