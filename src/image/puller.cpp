#include "image/puller.hpp"

#include <atomic>
#include <memory>

#include "oci/chain_id.hpp"
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
  const RemoteImage remote =
      SBX_TRY(find_remote_image(client, candidate.reference, request.platform, request.policy));
  LoadedImage installed =
      SBX_TRY(install(request, store, endpoint, remote.image, candidate.reference, request.client));
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
