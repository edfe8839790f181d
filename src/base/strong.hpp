#pragma once

#include <compare>
#include <functional>
#include <utility>

namespace sbx {

/// A value with a meaning of its own: Strong<std::uint32_t, struct UidTag> does not convert into
/// Strong<std::uint32_t, struct HostUidTag>.
template <class T, class Tag>
class Strong {
 public:
  constexpr Strong() = default;
  constexpr explicit Strong(T value) : value_(std::move(value)) {}
  [[nodiscard]] constexpr const T& get() const { return value_; }
  friend auto operator<=>(const Strong&, const Strong&) = default;

 private:
  T value_{};
};

}  // namespace sbx

template <class T, class Tag>
struct std::hash<sbx::Strong<T, Tag>> {
  std::size_t operator()(const sbx::Strong<T, Tag>& value) const noexcept {
    return std::hash<T>{}(value.get());
  }
};
