#include "layer/squash_codec.hpp"

#include <dlfcn.h>
#include <sqfs/compressor.h>

#include <array>
#include <type_traits>

namespace sbx::layer {
namespace {

constexpr const char* kName = "libsquashfs.so.1";  // its interface since 1.0

struct Library {
  decltype(&sqfs_compressor_config_init) config_init = nullptr;
  decltype(&sqfs_compressor_create) create = nullptr;
};

Result<Library> open_library() {
  void* handle = ::dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    return fail(Error::make(ErrorCode::kNotFound, "load", kName, why == nullptr ? "" : why)
                    .with_hint("install libsquashfs (Debian: libsquashfs1)"));
  }
  Library library;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(handle, name));
    return function != nullptr;
  };
  if (!find(library.config_init, "sqfs_compressor_config_init") ||
      !find(library.create, "sqfs_compressor_create")) {
    return fail(Error::make(ErrorCode::kUnsupported, "use", kName, "a function is missing in it"));
  }
  return library;
}

Result<const Library*> load() {
  // Never unloaded: threads may be in it until the process ends.
  static const Result<Library> kLibrary = open_library();
  if (!kLibrary) {
    return fail(kLibrary.error());
  }
  return &*kLibrary;
}

}  // namespace

const char* squash_compression_name(std::uint32_t compression) {
  constexpr std::array kNames{"unknown", "gzip", "lzma", "lzo", "xz", "lz4", "zstd"};
  return kNames[compression < kNames.size() ? compression : 0];
}

Result<void> load_squash_library() {
  (void)SBX_TRY(load());
  return {};
}

void SquashCodec::Destroy::operator()(void* compressor) const noexcept { sqfs_destroy(compressor); }

Result<SquashCodec> SquashCodec::make(std::uint32_t compression, std::uint32_t block_size) {
  const Library* const library = SBX_TRY(load());
  sqfs_compressor_config_t config{};
  sqfs_compressor_t* compressor = nullptr;
  if (compression < SQFS_COMP_MIN || compression > SQFS_COMP_MAX ||
      library->config_init(&config, static_cast<SQFS_COMPRESSOR>(compression), block_size,
                           SQFS_COMP_FLAG_UNCOMPRESS) != 0 ||
      library->create(&config, &compressor) != 0) {
    return fail(Error::make(ErrorCode::kUnsupported, "decompress", "squashfs",
                            "it is compressed by a method that libsquashfs cannot read")
                    .with_context(std::string("looking for the method ") +
                                  squash_compression_name(compression)));
  }
  return SquashCodec(compressor);
}

FsResult<std::size_t> SquashCodec::decode(std::span<const std::byte> in,
                                          std::span<std::byte> out) noexcept {
  auto* const compressor = static_cast<sqfs_compressor_t*>(compressor_.get());
  const sqfs_s32 got = compressor->do_block(
      compressor, reinterpret_cast<const sqfs_u8*>(in.data()), static_cast<sqfs_u32>(in.size()),
      reinterpret_cast<sqfs_u8*>(out.data()), static_cast<sqfs_u32>(out.size()));
  if (got <= 0 || static_cast<std::size_t>(got) > out.size()) {
    return fail(Errno(EIO));
  }
  return static_cast<std::size_t>(got);
}

}  // namespace sbx::layer
