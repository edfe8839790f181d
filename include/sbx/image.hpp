#pragma once

#include <cstdint>
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
  std::string created;     // RFC 3339; may be empty
  std::string platform;    // OS/ARCH[/VARIANT]
  std::uint64_t size = 0;  // bytes of its layers, uncompressed, as they lie in the store
};

/// `root` is the directory of images and containers; empty: the usual one. So everywhere below.
Outcome<std::vector<Image>> images(const std::string& root);

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

struct Removed {
  std::vector<std::string> untagged;
  std::string deleted;  // the image's id, empty if it has names left
};
/// By name, id or digest; what has several names is removed by id only with `force`. Containers keep what they use.
Outcome<Removed> remove_image(const std::string& root, const std::string& image, bool force);

/// What is known of an image, as one JSON object with docker's member names.
Outcome<std::string> inspect_image(const std::string& root, const std::string& image);

}  // namespace sbx
