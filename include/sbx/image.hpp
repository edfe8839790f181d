#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include <sbx/outcome.hpp>

namespace sbx {

/// One image of the store.
struct Image {
  std::string id;      // 64 hexadecimal digits: the digest of its configuration, as docker's
  std::string digest;  // of the manifest as it was loaded, else of the store's own
  std::vector<std::string>
      names;               // short where docker shows them short: "busybox:latest"; may be empty
  std::string created;     // RFC 3339, UTC; may be empty
  std::string platform;    // OS/ARCH[/VARIANT]
  std::uint64_t size = 0;  // bytes of its layers, uncompressed, as they lie in the store
  std::map<std::string, std::string> labels;
  bool read_only = false;  // it lies in an additional store
};

struct ImagesRequest {
  std::string
      root;  // directory of images and containers; empty: the usual one. So everywhere below
  /// All of them hold: reference=GLOB, dangling=BOOL, label=NAME[=VALUE], before=IMAGE, since=IMAGE, until=TIME, readonly=BOOL.
  std::vector<std::string> filters;
};
/// The images of the store, newest first. With reference= only the names that fit.
Outcome<std::vector<Image>> images(const ImagesRequest& request);

struct LoadOptions {
  std::string root;
  std::string source;    // oci:DIR[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:REF]
  std::string name;      // to be given to the image; empty: those that the source has
  std::string platform;  // OS/ARCH[/VARIANT]; empty: this machine's
};
/// Takes an image into the store. On failure the store is as it was.
Outcome<Image> load(const LoadOptions& options);

/// Gives an image another name; a name that another image had moves.
Outcome<std::monostate> tag(const std::string& root, const std::string& image,
                            const std::string& new_name);

/// Takes these names from an image, or all that it has; the image stays. The names taken.
Outcome<std::vector<std::string>> untag(const std::string& root, const std::string& image,
                                        const std::vector<std::string>& names);

struct Removed {
  std::vector<std::string> untagged;
  std::string deleted;  // the image's id, empty if it has names left
};
/// By name, id or digest; what has several names is removed by id only with `force`. Containers keep what they use.
Outcome<Removed> remove_image(const std::string& root, const std::string& image, bool force);

/// One step of how an image was made.
struct ImageStep {
  std::string id;       // of the newest step: the image's; else empty
  std::string created;  // RFC 3339, UTC; may be empty
  std::string created_by;
  std::uint64_t size = 0;  // bytes of its layer, uncompressed; 0 if it made none
  std::string comment;
};
/// Newest first.
Outcome<std::vector<ImageStep>> image_history(const std::string& root, const std::string& image);

/// What is known of an image, as one JSON object with docker's member names.
Outcome<std::string> inspect_image(const std::string& root, const std::string& image);

}  // namespace sbx
