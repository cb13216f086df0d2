"""Colours of any mode as sRGB: transparency split off, ICC profiles applied."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

# Colour space of an ICC profile -> the mode that Pillow's colour management wants the pixels in.
_PROFILE_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The picture without transparency, and its alpha channel where anything shows through."""
    if not image.has_transparency_data:
        return image, None
    gray = image.mode in ("1", "L", "LA", "La")
    image = image.convert("RGBA")
    alpha = image.getchannel("A")
    image = image.convert("RGB")
    if gray:  # a gray profile must meet gray pixels
        image = image.getchannel("R")
    return image, alpha if alpha.getextrema()[0] < 255 else None  # type: ignore[operator]


def to_srgb(image: Image.Image, icc: bytes | None, notes: list[str]) -> Image.Image:
    """Any 8-bit mode without alpha to sRGB, through its ICC profile where that can be used."""
    if icc:
        try:
            return _through_profile(image, icc, notes)
        except Exception:  # a damaged profile makes colours uncertain, not the picture unusable
            notes.append("unusable colour profile ignored")
    if image.mode == "CMYK":
        notes.append("CMYK converted to RGB without a colour profile")
    return image.convert("RGB")


def _through_profile(image: Image.Image, icc: bytes, notes: list[str]) -> Image.Image:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    description = ImageCms.getProfileDescription(profile).strip()
    mode = _PROFILE_MODES[profile.profile.xcolor_space.strip()]
    if (image.mode == "CMYK") != (mode == "CMYK") or (mode == "L" and image.mode not in ("1", "L")):
        raise ValueError(f"a profile for {mode} on {image.mode} pixels")
    if mode == "RGB" and "sRGB" in description:
        return image.convert("RGB")
    converted = ImageCms.profileToProfile(
        image.convert(mode),
        profile,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert converted is not None  # it is only for inPlace
    space = "CMYK" if mode == "CMYK" else "colours"
    notes.append(f"{space} converted to sRGB (profile '{description or 'unnamed'}')")
    return converted
