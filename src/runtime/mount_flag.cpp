// --mount: docker's and podman's keys.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/mount_options.hpp"
#include "runtime/mount_words.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {
namespace {

constexpr std::string_view kFlag = "--mount";

Error bad(const std::string& text, std::string reason) {
  return bad_mount(kFlag, text, std::move(reason));
}

/// The field at `at`, which is left behind the comma that ends it, or at npos.
Result<std::string> read_field(const std::string& text, std::size_t& at) {
  std::string field;
  if (at < text.size() && text[at] == '"') {
    std::size_t next = at + 1;
    for (;; ++next) {
      if (next >= text.size()) {
        return fail(bad(text, "a quotation mark is not closed"));
      }
      if (text[next] != '"') {
        field += text[next];
      } else if (next + 1 < text.size() && text[next + 1] == '"') {
        field += text[++next];
      } else {
        break;
      }
    }
    ++next;
    if (next < text.size() && text[next] != ',') {
      return fail(bad(text, "behind a closing quotation mark comes a comma"));
    }
    at = next < text.size() ? next + 1 : std::string::npos;
    return field;
  }
  const std::size_t end = text.find(',', at);
  field = text.substr(at, end == std::string::npos ? end : end - at);
  if (field.find('"') != std::string::npos) {
    return fail(bad(text, "a quotation mark is in the middle of a field")
                    .with_hint("put all of it in quotation marks: '\"src=/a,b\",dst=/c'"));
  }
  at = end == std::string::npos ? end : end + 1;
  return field;
}

/// One KEY[=VALUE].
struct Field {
  std::string key;  // in lower case
  std::string value;
  bool has_value = false;
};

Result<std::vector<Field>> read_fields(const std::string& text) {
  std::vector<Field> out;
  for (std::size_t at = 0; at != std::string::npos;) {
    const std::string field = SBX_TRY(read_field(text, at));
    const std::size_t equals = field.find('=');
    Field one{field.substr(0, equals), "", equals != std::string::npos};
    std::transform(one.key.begin(), one.key.end(), one.key.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    one.value = one.has_value ? field.substr(equals + 1) : "";
    out.push_back(std::move(one));
  }
  return out;
}

bool is_one_of(const std::string& word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class Reader {
 public:
  Reader(const std::string& text, std::vector<Field> fields)
      : text_(text), fields_(std::move(fields)) {}

  Result<oci::SpecMount> read() {
    SBX_TRY(begin());
    for (const Field& field : fields_) {
      if (!SBX_TRY(add(field))) {
        return fail(bad(text_, fmt::format("'{}' is no key of a mount of type {}",
                                           printable(field.key), mount_.type))
                        .with_hint("see MOUNTS in sbx-run(1)"));
      }
    }
    SBX_TRY(check());
    return std::move(mount_);
  }

 private:
  [[nodiscard]] bool is(std::string_view type) const { return mount_.type == type; }

  Result<void> begin() {
    mount_.type = kVolumeType;  // docker's default
    for (const Field& field : fields_) {
      if (field.key == "type") {
        mount_.type = field.value;
      }
    }
    if (!is_one_of(mount_.type, {"bind", kVolumeType, "tmpfs"})) {
      return fail(
          Error::make(ErrorCode::kUnsupported, "use --mount", text_,
                      fmt::format("mounts of type '{}' are not supported", printable(mount_.type)))
              .with_hint("types are bind, volume and tmpfs"));
    }
    if (is("tmpfs")) {
      mount_ = new_tmpfs("");
    } else {
      mount_.options.emplace_back("rbind");
    }
    return {};
  }

  Result<bool> read_bool(const Field& field) const {
    if (!field.has_value || is_one_of(field.value, {"1", "t", "T", "true", "TRUE", "True"})) {
      return true;
    }
    if (is_one_of(field.value, {"0", "f", "F", "false", "FALSE", "False"})) {
      return false;
    }
    return fail(bad(text_, fmt::format("'{}' is neither true nor false", printable(field.value))));
  }

  Result<bool> add(const Field& field) {
    if (field.key == "type" || field.key == "consistency" || field.key == "relabel" ||
        is_one_of(field.key, {"z"})) {
      return true;  // the last three: of docker on a Mac, and of SELinux
    }
    if (is_one_of(field.key, {"dst", "destination", "target"})) {
      mount_.destination = SBX_TRY(read_destination(kFlag, text_, field.value));
      return true;
    }
    if (is_one_of(field.key, {"src", "source"})) {
      return set_source(field.value);
    }
    if (is_one_of(field.key, {"ro", "readonly"}) || is_switch(field.key)) {
      return set_switch(field);
    }
    if (is_one_of(field.key, {"u", "chown"}) && (is("bind") || is(kVolumeType))) {
      if (SBX_TRY(read_bool(field))) {
        mount_.options.emplace_back(mount_word::kChown);
      }
      return true;
    }
    return is("bind")        ? add_to_bind(field)
           : is(kVolumeType) ? add_to_volume(field)
                             : add_to_tmpfs(field);
  }

  Result<bool> set_source(const std::string& value) {
    if (is("tmpfs")) {
      return fail(bad(text_, "a tmpfs has no source"));
    }
    if (is("bind")) {
      if (value.empty()) {
        return fail(bad(text_, "the source is empty"));
      }
      mount_.source = SBX_TRY(sys::absolute_path(value));
    } else {
      mount_.source = value;
    }
    return true;
  }

  /// Of the switches each has an opposite, which =false means.
  Result<bool> set_switch(const Field& field) {
    const std::string name = field.key == "readonly" ? "ro" : field.key;
    const std::string opposite = name == "ro"             ? "rw"
                                 : name == "rw"           ? "ro"
                                 : name.starts_with("no") ? name.substr(2)
                                                          : "no" + name;
    const std::string wanted = SBX_TRY(read_bool(field)) ? name : opposite;
    add_switch(mount_, wanted);
    return true;
  }

  Result<bool> add_to_bind(const Field& field) {
    if (field.key == "bind-propagation") {
      return add_propagation(kFlag, text_, field.value, mount_);
    }
    bool recursive = true;
    if (field.key == "bind-nonrecursive") {
      recursive = !SBX_TRY(read_bool(field));
    } else if (field.key == "bind-recursive" && field.value == "disabled") {
      recursive = false;
    } else if (field.key != "bind-recursive" || !is_one_of(field.value, {"enabled", "readonly"})) {
      return false;
    }
    mount_.options.front() = recursive ? "rbind" : "bind";
    return true;
  }

  Result<bool> set_subpath(const std::string& value) {
    const std::string path = clean_path(value);
    const std::vector<std::string> parts = split_text(value, '/');
    if (value.empty() || value.starts_with('/') || path == "/" ||
        std::find(parts.begin(), parts.end(), "..") != parts.end()) {
      return fail(bad(text_, "a subpath is relative, and leads to something below"));
    }
    mount_.options.push_back(std::string(mount_word::kSubpath) + path.substr(1));
    return true;
  }

  Result<bool> add_to_volume(const Field& field) {
    if (is_one_of(field.key, {"volume-nocopy", "nocopy"})) {
      if (SBX_TRY(read_bool(field))) {
        mount_.options.emplace_back(mount_word::kNoCopy);
      }
      return true;
    }
    if (is_one_of(field.key, {"volume-subpath", "subpath"})) {
      return set_subpath(field.value);
    }
    if (field.key == "volume-label") {
      mount_.options.push_back(std::string(mount_word::kLabel) + field.value);
      return true;
    }
    if (field.key == "volume-opt" || (field.key == "volume-driver" && field.value != "local")) {
      return fail(Error::make(ErrorCode::kUnsupported, "use --mount", text_,
                              "volumes are directories: there is no other driver, and it has no "
                              "options"));
    }
    return field.key == "volume-driver";
  }

  Result<bool> add_to_tmpfs(const Field& field) {
    if (field.key == "tmpfs-size" || field.key == "tmpfs-mode") {
      return add_tmpfs_option(kFlag, text_, field.key.substr(6) + "=" + field.value, mount_);
    }
    return field.has_value ? Result<bool>(false)
                           : add_tmpfs_option(kFlag, text_, field.key, mount_);
  }

  Result<void> check() {
    if (mount_.destination.empty()) {
      return fail(bad(text_, "it has no destination").with_hint("dst=PATH inside the sandbox"));
    }
    if (mount_.source.empty() && is("bind")) {
      return fail(bad(text_, "it has no source").with_hint("src=PATH of the host"));
    }
    return is(kVolumeType) && !mount_.source.empty() ? check_volume_name(mount_.source)
                                                     : Result<void>();
  }

  const std::string& text_;
  std::vector<Field> fields_;
  oci::SpecMount mount_;
};

}  // namespace

Result<oci::SpecMount> parse_mount(const std::string& text) {
  return Reader(text, SBX_TRY(read_fields(text))).read();
}

}  // namespace sbx::runtime
