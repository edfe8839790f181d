#include "image/remote_image.hpp"

#include <fmt/format.h>

#include <memory>

#include "image/manifest_choice.hpp"
#include "oci/index.hpp"

namespace sbx::image {
namespace {

/// From a name to the documents behind it.
class Finder {
 public:
  Finder(registry::Client& client, const oci::Reference& reference, const oci::Platform& platform,
         const PolicyCheck& policy)
      : client_(client), reference_(reference), platform_(platform), policy_(policy) {}

  Result<RemoteImage> find() {
    const std::string asked = reference_.digest() ? reference_.digest()->str() : reference_.tag();
    out_.asked = SBX_TRY(client_.manifest(asked, registry::manifest_types()));
    oci::Descriptor entry;
    entry.media_type = out_.asked.media_type;
    entry.digest = out_.asked.digest;
    entry.size = out_.asked.bytes.size();
    if (oci::is_index(entry.type())) {
      out_.image.index_digest = entry.digest;
      entry = SBX_TRY(choose(entry));
      SBX_TRY(read(entry, SBX_TRY(document(entry))));
    } else if (entry.type() == oci::MediaType::kDockerSchema1) {
      return fail(Error::make(ErrorCode::kUnsupported, "pull", reference_.familiar(),
                              "docker schema 1 manifests are not supported")
                      .with_hint("push the image again with a docker of the last ten years"));
    } else {
      SBX_TRY(read(entry, out_.asked.bytes));
    }
    return std::move(out_);
  }

 private:
  Result<oci::Descriptor> choose(const oci::Descriptor& index) {
    const oci::Index parsed =
        SBX_TRY(oci::Index::parse(out_.asked.bytes, index.type(), index.digest.str()));
    for (const oci::Descriptor& entry : parsed.manifests) {
      if (entry.platform) {
        out_.platforms.push_back(entry.platform->str());
      }
    }
    return choose_manifest(parsed.manifests, platform_,
                           [&](const oci::Descriptor& nested) { return document(nested); });
  }

  Result<std::string> document(const oci::Descriptor& descriptor) {
    registry::Manifest got =
        SBX_TRY(client_.manifest(descriptor.digest.str(), registry::manifest_types()));
    if (got.bytes.size() != descriptor.size) {
      return fail(Error::make(
          ErrorCode::kCorrupt, "pull manifest", descriptor.digest.str(),
          fmt::format("it should have {} bytes and has {}", descriptor.size, got.bytes.size())));
    }
    return std::move(got.bytes);
  }

  Result<void> read(const oci::Descriptor& manifest, std::string text) {
    if (policy_) {
      SBX_TRY(policy_(reference_, manifest.digest));
    }
    out_.manifest_type = manifest.media_type;
    const oci::Descriptor config = SBX_TRY(take_manifest(out_.image, manifest, std::move(text)));
    return take_config(out_.image, SBX_TRY(small_blob(config)), platform_);
  }

  Result<std::string> small_blob(const oci::Descriptor& descriptor) {
    if (descriptor.size > kMaxConfigBytes) {
      return fail(Error::make(ErrorCode::kLimit, "pull configuration", descriptor.digest.str(),
                              fmt::format("it has {} bytes", descriptor.size)));
    }
    const auto stream = SBX_TRY(client_.open_blob(descriptor.digest, descriptor.size));
    std::string text(descriptor.size, '\0');
    std::size_t have = 0;
    while (have < text.size()) {
      const std::size_t got =
          SBX_TRY(stream->read(std::as_writable_bytes(std::span(text).subspan(have))));
      have += got;
      if (got == 0) {
        break;  // the stream itself complains of a blob that is too short
      }
    }
    SBX_TRY(check_digest(text, descriptor.digest, descriptor.digest.str()));
    return text;
  }

  registry::Client& client_;
  const oci::Reference& reference_;
  const oci::Platform& platform_;
  const PolicyCheck& policy_;
  RemoteImage out_;
};

}  // namespace

Result<RemoteImage> find_remote_image(registry::Client& client, const oci::Reference& reference,
                                      const oci::Platform& platform, const PolicyCheck& policy) {
  return Finder(client, reference, platform, policy).find();
}

}  // namespace sbx::image
