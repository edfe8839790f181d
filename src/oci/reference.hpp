#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "oci/digest.hpp"

namespace sbx::oci {

/// An image's name as docker understands it (distribution/reference), normalised: "busybox" is
/// docker.io/library/busybox:latest.
class Reference {
 public:
  /// "[HOST[:PORT]/]PATH[:TAG][@sha256:...]". Without tag and digest the tag is "latest".
  /// kInvalidArgument says which part is wrong.
  static Result<Reference> parse(std::string_view text);

  [[nodiscard]] const std::string& domain() const { return domain_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Empty if only a digest was given.
  [[nodiscard]] const std::string& tag() const { return tag_; }
  [[nodiscard]] const std::optional<Digest>& digest() const { return digest_; }

  /// "docker.io/library/busybox".
  [[nodiscard]] std::string repository() const { return domain_ + "/" + path_; }
  /// "docker.io/library/busybox:latest"; without the digest; the repository alone if there is no tag.
  [[nodiscard]] std::string tagged() const;
  /// Everything there is.
  [[nodiscard]] std::string str() const;
  /// As people write it: "busybox:latest".
  [[nodiscard]] std::string familiar() const;

 private:
  std::string domain_;
  std::string path_;
  std::string tag_;
  std::optional<Digest> digest_;
};

}  // namespace sbx::oci
