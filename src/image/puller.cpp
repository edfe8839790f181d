#include "image/puller.hpp"

#include <fmt/format.h>

#include <atomic>
#include <memory>

#include "image/manifest_choice.hpp"
#include "oci/chain_id.hpp"
#include "oci/index.hpp"
#include "oci/manifest.hpp"
#include "store/gc.hpp"

namespace sbx::image {
namespace {

/// What came is wrong, and would be wrong again.
bool is_wrong(ErrorCode code) {
  return code == ErrorCode::kCorrupt || code == ErrorCode::kLimit ||
         code == ErrorCode::kUnsupported;
}

/// The bytes of a blob, and the connection they come by.
class BlobBytes final : public layer::ByteSource {
 public:
  BlobBytes(registry::Client client, const oci::Digest& digest, std::uint64_t size)
      : client_(std::move(client)), digest_(digest), size_(size) {}

  Result<void> open() {
    stream_ = SBX_TRY(client_.open_blob(digest_, size_));
    return {};
  }
  Result<std::size_t> read(std::span<std::byte> data) override { return stream_->read(data); }

 private:
  registry::Client client_;
  oci::Digest digest_;
  std::uint64_t size_;
  std::unique_ptr<registry::BlobStream> stream_;  // of client_
};

/// The layers of an image in a registry; each has a connection of its own.
class RegistryOpener final : public LayerOpener {
 public:
  RegistryOpener(const registry::Endpoint& endpoint, const registry::ClientOptions& options,
                 const SourceImage& image)
      : endpoint_(endpoint), options_(options), image_(image) {}

  Result<OpenedLayer> open(std::size_t layer) override {
    const SourceImage::Layer& wanted = image_.layers[layer];
    auto bytes = std::make_unique<BlobBytes>(SBX_TRY(registry::Client::make(endpoint_, options_)),
                                             *wanted.digest, *wanted.size);
    SBX_TRY(bytes->open());
    return OpenedLayer{std::move(bytes), *wanted.size, wanted.digest->str()};
  }

 private:
  const registry::Endpoint& endpoint_;
  const registry::ClientOptions& options_;
  const SourceImage& image_;
};

/// A pull from one endpoint, up to the point where the image's documents are known.
class Finder {
 public:
  Finder(registry::Client& client, const PullRequest& request, const oci::Reference& reference)
      : client_(client), request_(request), reference_(reference) {}

  Result<SourceImage> find() {
    const std::string asked = reference_.digest() ? reference_.digest()->str() : reference_.tag();
    const registry::Manifest first = SBX_TRY(client_.manifest(asked, registry::manifest_types()));
    oci::Descriptor entry;
    entry.media_type = first.media_type;
    entry.digest = first.digest;
    entry.size = first.bytes.size();
    if (oci::is_index(entry.type())) {
      entry = SBX_TRY(choose(entry, first.bytes));
      return read(entry, SBX_TRY(document(entry)));
    }
    if (entry.type() == oci::MediaType::kDockerSchema1) {
      return fail(Error::make(ErrorCode::kUnsupported, "pull", reference_.familiar(),
                              "docker schema 1 manifests are not supported")
                      .with_hint("push the image again with a docker of the last ten years"));
    }
    return read(entry, first.bytes);
  }

 private:
  Result<oci::Descriptor> choose(const oci::Descriptor& index, const std::string& text) {
    const oci::Index parsed = SBX_TRY(oci::Index::parse(text, index.type(), index.digest.str()));
    return choose_manifest(parsed.manifests, request_.platform,
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

  Result<SourceImage> read(const oci::Descriptor& manifest, std::string text) {
    if (request_.policy) {
      SBX_TRY(request_.policy(reference_, manifest.digest));
    }
    SourceImage image;
    const oci::Descriptor config = SBX_TRY(take_manifest(image, manifest, std::move(text)));
    SBX_TRY(take_config(image, SBX_TRY(small_blob(config)), request_.platform));
    return image;
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
  const PullRequest& request_;
  const oci::Reference& reference_;
};

/// The name it is kept under: as it was asked for; by digest alone, none.
std::vector<std::string> names_of(const oci::Reference& reference) {
  return reference.digest() && reference.tag().empty()
             ? std::vector<std::string>{}
             : std::vector<std::string>{reference.tagged()};
}

Result<LoadedImage> install(const PullRequest& request, const store::Store& store,
                            const registry::Endpoint& endpoint, const SourceImage& image,
                            const oci::Reference& reference, registry::ClientOptions options) {
  store::Staging staging = SBX_TRY(store::Staging::open(store));
  store::Pending pending = SBX_TRY(
      store::Pending::note(store, oci::chain_id(image.config.diff_ids), image.config.diff_ids));
  std::atomic<bool> stop = false;
  options.stop = [&stop, outer = options.stop] { return stop || (outer && outer()); };
  RegistryOpener opener(endpoint, options, image);
  Result<LoadedImage> installed = install_image({.store = store,
                                                 .staging = staging,
                                                 .image = image,
                                                 .layers = opener,
                                                 .names = names_of(reference),
                                                 .tree_limits = request.tree_limits,
                                                 .layer_limits = request.layer_limits,
                                                 .progress = request.progress,
                                                 .jobs = request.jobs,
                                                 .pending = &pending,
                                                 .stop = &stop});
  if (installed || is_wrong(installed.error().code)) {
    pending.forget();
  }
  return installed;
}

Result<PulledImage> pull_from(const PullRequest& request, const store::Store& store,
                              const PullCandidate& candidate, const registry::Endpoint& endpoint) {
  registry::Client client = SBX_TRY(registry::Client::make(endpoint, request.client));
  const SourceImage image = SBX_TRY(Finder(client, request, candidate.reference).find());
  LoadedImage installed =
      SBX_TRY(install(request, store, endpoint, image, candidate.reference, request.client));
  return PulledImage{std::move(installed), candidate.reference.str(), endpoint.host};
}

/// Whether another place may have what this one has not. What is wrong or stopped ends the search.
bool may_be_elsewhere(const Error& error, const registry::Endpoint& endpoint) {
  if (endpoint.mirror) {
    return error.code !=
           ErrorCode::kBusy;  // a mirror is an offer: the registry itself has the last word
  }
  return error.code == ErrorCode::kNotFound || error.code == ErrorCode::kDenied;
}

}  // namespace

Result<PulledImage> pull_image(const PullRequest& given) {
  PullRequest request = given;
  if (!request.client.memory) {
    request.client.memory = std::make_shared<registry::HostMemory>();
  }
  const store::Store store =
      SBX_TRY(store::Store::open(request.root + "/store", store::Store::Access::kWrite));
  SBX_TRY(store::clean_leftovers(store));
  std::optional<Error> first;
  for (const PullCandidate& candidate : request.candidates) {
    for (const registry::Endpoint& endpoint : candidate.endpoints) {
      Result<PulledImage> pulled = pull_from(request, store, candidate, endpoint);
      if (pulled) {
        return pulled;
      }
      Error error = std::move(pulled).error();
      if (is_wrong(error.code)) {
        (void)store::collect_garbage(
            store);  // of what came; if it cannot now, the next command does
      }
      const bool elsewhere = may_be_elsewhere(error, endpoint);
      if (!first || !endpoint.mirror) {
        first = std::move(error);
      }
      if (!elsewhere) {
        return fail(std::move(*first));
      }
    }
  }
  return first ? Result<PulledImage>(fail(std::move(*first)))
               : Result<PulledImage>(fail(Error::make(ErrorCode::kInvalidArgument, "pull", "",
                                                      "there is nowhere to pull from")));
}

}  // namespace sbx::image
