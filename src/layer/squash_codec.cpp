#include "layer/squash_codec.hpp"

#include <dlfcn.h>
#include <isa-l/igzip_lib.h>
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

constexpr const char* kFastName = "libisal.so.2";  // its interface since 2.19

struct FastLibrary {
  decltype(&isal_inflate_init) init = nullptr;
  decltype(&isal_inflate_stateless) inflate = nullptr;
};

/// Functions that are null if it is not there.
const FastLibrary& fast_library() {
  static const FastLibrary kLibrary = [] {
    FastLibrary out;
    if (void* handle = ::dlopen(kFastName, RTLD_NOW | RTLD_LOCAL)) {
      out.init = reinterpret_cast<decltype(out.init)>(::dlsym(handle, "isal_inflate_init"));
      out.inflate =
          reinterpret_cast<decltype(out.inflate)>(::dlsym(handle, "isal_inflate_stateless"));
    }
    return out;
  }();
  return kLibrary;
}

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
  (void)fast_library();
  (void)SBX_TRY(load());
  return {};
}

struct SquashCodec::Inflate {
  inflate_state state;
};

void SquashCodec::FreeInflate::operator()(Inflate* inflate) const noexcept { delete inflate; }

void SquashCodec::Destroy::operator()(void* compressor) const noexcept { sqfs_destroy(compressor); }

Result<SquashCodec> SquashCodec::make(std::uint32_t compression, std::uint32_t block_size) {
  if (compression == SQFS_COMP_GZIP && fast_library().init != nullptr &&
      fast_library().inflate != nullptr) {
    return SquashCodec(std::unique_ptr<Inflate, FreeInflate>(new Inflate));
  }
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
  if (inflate_) {
    inflate_state& state = inflate_->state;
    fast_library().init(&state);
    state.crc_flag = ISAL_ZLIB;  // header, and Adler-32 behind the data, which is compared
    state.next_in = const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(in.data()));
    state.avail_in = static_cast<std::uint32_t>(in.size());
    state.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    state.avail_out = static_cast<std::uint32_t>(out.size());
    const bool good = fast_library().inflate(&state) == ISAL_DECOMP_OK && state.total_out != 0;
    return good ? FsResult<std::size_t>(state.total_out) : fail(Errno(EIO));
  }
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
